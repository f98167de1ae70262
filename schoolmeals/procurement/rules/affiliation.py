"""What two tenderers of one lot have in common. It is a question to the commission, not a verdict."""

from schoolmeals.procurement.rules.conflicts import HitKind, TendererTraits, address_key, is_kin, phone_key


def in_common(one: TendererTraits, other: TendererTraits) -> list[HitKind]:
    """The kinds of what is the same on both sides, in a fixed order."""
    found: list[HitKind] = []
    if _keys(one, "addresses") & _keys(other, "addresses"):
        found.append(HitKind.ADDRESS)
    if _keys(one, "phones") & _keys(other, "phones"):
        found.append(HitKind.PHONE)
    if any(is_kin(mine, theirs) for mine in one.people for theirs in other.people):
        found.append(HitKind.NAME)
    if {one.identifier, *one.founders} & {other.identifier, *other.founders} - {""}:
        found.append(HitKind.FOUNDER)
    return found


def _keys(traits: TendererTraits, name: str) -> set[str]:
    """Addresses or phones of the tenderer and of the people behind it, written alike."""
    key = address_key if name == "addresses" else phone_key
    own: tuple[str, ...] = getattr(traits, name)
    theirs = (value for person in traits.people for value in getattr(person, name))
    return {key(value) for value in (*own, *theirs)} - {""}
