"""What can be found about a bid's requirements without anybody's opinion."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schoolmeals.errors import N_
from schoolmeals.procurement.profiles import Requirement
from schoolmeals.procurement.rules.admission import MERELY_THERE, UNREADABLE, Finding
from schoolmeals.procurement.rules.bid_form import BidContent, StaffLine

_LEVELS: Final = {"none": 0, "college": 1, "higher": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterWord:
    """What a register says of a supplier: how many entries, and the digest of the import that was asked. None where no
    such register was imported."""

    hits: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BidGround:
    """What a bid is held against, beside its own content."""

    content_sha256: str
    """Of what the envelope held: what is missing there is proven by it."""
    posts: Sequence[Mapping[str, Any]] = ()
    overcommitted: frozenset[str] = frozenset()
    """Person keys beyond their working time in the whole city."""
    registers: Mapping[str, RegisterWord] = field(default_factory=dict)
    affiliates: Collection[str] = ()
    """What this supplier has in common with others who bid for the lot, as codes of hits."""
    mended: frozenset[str] = frozenset()
    """Requirements for which the supplier has sent something after it was asked."""
    mended_evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def finding(requirement: Requirement, content: BidContent | None, ground: BidGround) -> Finding:
    """What is found about a requirement. A bid that cannot be read meets none."""
    whole = (ground.content_sha256,) if ground.content_sha256 else ()
    if content is None:
        return Finding(False, UNREADABLE, {}, whole)
    found = _found(requirement, content, ground)
    if requirement.code in ground.mended and found.met is not True:
        return Finding(None, "mended", {}, ground.mended_evidence.get(requirement.code, ()) or whole)
    return found if found.evidence else Finding(found.met, found.code, found.facts, whole)


def _found(requirement: Requirement, content: BidContent, ground: BidGround) -> Finding:
    kind, _, name = requirement.check.partition(":")
    match kind:
        case "register":
            return _by_register(name, ground)
        case "declared":
            declared = requirement.code in content.declared
            return Finding(declared or None, "declared" if declared else "not-declared", {})
        case "computed":
            return _COMPUTED[requirement.code](content, ground)
        case _ if requirement.code == "resources":
            return _resources(content, ground)
        case _:
            return _documents(requirement.code, content)


def _documents(code: str, content: BidContent) -> Finding:
    hashes = tuple(sorted({one.sha256 for one in content.evidence if one.for_ == code}))
    found = MERELY_THERE if hashes else "no-evidence"
    return Finding(True if hashes else None, found, {"count": len(hashes)}, hashes)


def _by_register(name: str, ground: BidGround) -> Finding:
    word = ground.registers.get(name)
    if word is None:
        return Finding(None, "register-unknown", {"register": name})
    code = "register-hit" if word.hits else "register-clear"
    return Finding(not word.hits, code, {"register": name, "hits": word.hits}, (word.sha256,))


def _staff_unique(content: BidContent, ground: BidGround) -> Finding:
    twice = sorted({one.person_key for one in content.staff} & ground.overcommitted)
    return Finding(not twice, "staff-claimed-elsewhere" if twice else "staff-free", {"count": len(twice)})


def _not_affiliated(_content: BidContent, ground: BidGround) -> Finding:
    kinds = sorted(set(ground.affiliates))
    return Finding(not kinds or None, "in-common" if kinds else "nothing-in-common", {"kinds": kinds})


def _resources(content: BidContent, ground: BidGround) -> Finding:
    """All posts that the lot asks for are filled by people with evidence, a person once, each free to do it."""
    free = [one for one in content.staff if one.evidence and one.person_key not in ground.overcommitted]
    used: set[str] = set()
    asked = short = 0
    evidence: set[str] = set()
    for row in sorted(ground.posts, key=lambda one: -(one.get("grade") or 0)):
        fitting = {one.person_key: one for one in free if one.person_key not in used and _fits(one, row)}
        chosen = sorted(fitting.values(), key=lambda one: (-(one.grade or 0), one.person_key))[: row["count"]]
        used |= {one.person_key for one in chosen}
        evidence |= {sha256 for one in chosen for sha256 in one.evidence}
        asked += row["count"]
        short += row["count"] - len(chosen)
    if not asked:
        return _documents("resources", content)
    code = "staff-short" if short else "staff-proven"
    return Finding(True if not short else None, code, {"asked": asked, "short": short}, tuple(sorted(evidence)))


def _fits(one: StaffLine, row: Mapping[str, Any]) -> bool:
    graded = (one.grade or 0) >= (row.get("grade") or 0)
    taught = _LEVELS[one.education] >= _LEVELS[row.get("education") or "none"]
    return one.post == row["post"] and graded and taught and one.fte_percent >= row["fte_percent"]


_COMPUTED: Final = {"staff-unique": _staff_unique, "not-affiliated": _not_affiliated}
FINDING_NAMES: Final = {
    UNREADABLE: N_("The bid cannot be read"),
    "mended": N_("The supplier has sent something; the commission looks at it"),
    "register-unknown": N_("The register is not imported; the commission checks it"),
    "register-hit": N_("Entries in the register: %(hits)s"),
    "register-clear": N_("No entry in the register"),
    "declared": N_("The supplier declares it"),
    "not-declared": N_("The supplier does not declare it"),
    "staff-free": N_("Nobody is offered beyond a full working day"),
    "staff-claimed-elsewhere": N_("People offered beyond a full working day in the city: %(count)s"),
    "nothing-in-common": N_("Nothing in common with other tenderers of the lot"),
    "in-common": N_("Something in common with another tenderer of the lot; the commission looks at it"),
    "staff-proven": N_("All posts asked for, %(asked)s, are filled by proven people"),
    "staff-short": N_("Posts asked for: %(asked)s; without a proven person: %(short)s"),
    "evidence-there": N_("Documents for it: %(count)s"),
    "no-evidence": N_("There is no document for it"),
}
"""How findings are told to people."""
