"""Bids before anybody can read them: what a sealed row says, which bid of a supplier stands, and what closing lists."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.terms import Term
from schoolmeals.procurement.sealing import KeySet, Manifest, Member
from schoolmeals.verdicts import Refused

VERSIONS_MAX: Final = 64
"""How often a supplier can submit, replace, confirm and withdraw for one lot, all in all."""
PART_BYTES: Final = 131_072
"""The size of every piece in which sealed files travel and are kept. All size classes are multiples of it."""


class RowKind(StrEnum):
    """What a sealed row is. Only its inside says so."""

    BID = "bid"
    WITHDRAWAL = "withdrawal"
    CONFIRMATION = "confirmation"
    COVER = "cover"
    """Nothing. It is there so that rows cannot be counted."""


class Outcome(StrEnum):
    """What had become of a bid when the list was closed."""

    STANDS = "stands"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFacts:
    """The inside of a sealed row. ``place`` counts a supplier's rows for a lot from 0."""

    kind: RowKind
    tender_id: UUID
    lot_id: UUID
    tenderer_id: UUID
    person_id: UUID | None
    request_id: UUID
    """The caller's; a bid's own id where the row is a bid."""
    bid_id: UUID
    place: int
    received_at: datetime
    """The legal time: the database's clock under the tender's lock."""
    tender_version: int
    manifest_sha256: str
    manifest: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenFacts:
    """A bid in the list that closing froze."""

    id: UUID
    lot_id: UUID
    tenderer_id: UUID
    place: int
    received_at: datetime
    tender_version: int
    manifest_sha256: str
    outcome: Outcome


def standing(chain: Iterable[RowFacts]) -> RowFacts | None:
    """The bid of a supplier for a lot that stands, given all its rows in their order."""
    current = None
    for row in chain:
        if row.kind is RowKind.BID:
            current = row
        elif row.kind is RowKind.WITHDRAWAL:
            current = None
    return current


def confirmed_version(chain: Iterable[RowFacts], bid: RowFacts) -> int:
    """The latest published version on which a bid was made or confirmed."""
    said = (row.tender_version for row in chain if row.kind is RowKind.CONFIRMATION and row.bid_id == bid.bid_id)
    return max([bid.tender_version, *said])


def frozen(rows: Iterable[RowFacts], confirm_from: int) -> list[FrozenFacts]:
    """The list: every bid that was ever acknowledged, in the order of receipt, with what had become of it.

    ``confirm_from`` is the version that bids on earlier ones have to be confirmed for.
    """
    chains: dict[tuple[UUID, UUID], list[RowFacts]] = {}
    for row in sorted(rows, key=lambda one: one.place):
        if row.kind is not RowKind.COVER:
            chains.setdefault((row.tenderer_id, row.lot_id), []).append(row)
    listed = [one for chain in chains.values() for one in _frozen_chain(chain, confirm_from)]
    return sorted(listed, key=lambda one: (one.received_at, one.id))


def _frozen_chain(chain: Sequence[RowFacts], confirm_from: int) -> list[FrozenFacts]:
    outcomes: dict[UUID, Outcome] = {}
    for row in chain:
        if row.kind is RowKind.WITHDRAWAL:
            outcomes = dict.fromkeys(outcomes, Outcome.WITHDRAWN)
        elif row.kind is RowKind.BID:
            replaced = {id: Outcome.REPLACED for id, one in outcomes.items() if one is Outcome.STANDS}
            outcomes = {**outcomes, **replaced, row.bid_id: Outcome.STANDS}
    last = standing(chain)
    if last is not None and confirmed_version(chain, last) < confirm_from:
        outcomes[last.bid_id] = Outcome.UNCONFIRMED
    return [_as_frozen(row, outcomes[row.bid_id]) for row in chain if row.kind is RowKind.BID]


def _as_frozen(row: RowFacts, outcome: Outcome) -> FrozenFacts:
    return FrozenFacts(
        id=row.bid_id,
        lot_id=row.lot_id,
        tenderer_id=row.tenderer_id,
        place=row.place,
        received_at=row.received_at,
        tender_version=row.tender_version,
        manifest_sha256=row.manifest_sha256,
        outcome=outcome,
    )


def confirmed_versions(rows: Iterable[RowFacts]) -> dict[UUID, int]:
    """The latest published version on which each bid was made or confirmed, also of those that were replaced since."""
    found: dict[UUID, int] = {}
    for row in rows:
        if row.kind in (RowKind.BID, RowKind.CONFIRMATION):
            found[row.bid_id] = max(found.get(row.bid_id, 0), row.tender_version)
    return found


def to_open(
    listed: Sequence[FrozenFacts], complete: frozenset[UUID], confirmed: Mapping[UUID, int], confirm_from: int
) -> list[FrozenFacts]:
    """The bids to be opened: of each one that stands, the last version whose sealed files have arrived whole.

    A replacement without its files does not take away what it was meant to replace, where that was made or
    ``confirmed`` for the tender as it is now.
    """
    chosen = []
    for head in listed:
        if head.outcome is not Outcome.STANDS:
            continue
        versions = [
            one
            for one in listed
            if _is_version_of(one, head) and confirmed.get(one.id, one.tender_version) >= confirm_from
        ]
        whole = [one for one in versions if one.id in complete]
        chosen += [max(whole, key=lambda one: one.place)] if whole else []
    return chosen


def _is_version_of(one: FrozenFacts, head: FrozenFacts) -> bool:
    same = (one.tenderer_id, one.lot_id) == (head.tenderer_id, head.lot_id)
    return same and (one == head or one.outcome is Outcome.REPLACED)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a published version asks of bids."""

    keys: KeySet
    lots: frozenset[str]
    envelopes: tuple[str, ...]
    unconfirmed_may_bid: bool = True


@lru_cache(maxsize=64)
def asked_by(text: str) -> Asked:
    """What a version's canonical text asks. In the last minutes before a deadline it is read for every bid anew."""
    document = json.loads(text)
    lots = frozenset(str(lot["id"]) for lot in document["lots"])
    profile = document["profile"]
    return Asked(
        key_set_of(document), lots, tuple(profile["envelopes"]), bool(profile.get("unconfirmed_may_bid", True))
    )


def is_for(manifest: Manifest, tenderer_id: UUID, asked: Asked) -> Refused | None:
    """The manifest is this supplier's, for one lot that still takes bids, with the envelopes that are asked for."""
    bid = manifest.bid
    if bid.bidder != str(tenderer_id):
        return Refused("another-bidder", ANOTHER_BIDDER, {})
    if len(bid.lot_ids) != 1 or bid.lot_ids[0] not in asked.lots:
        return Refused("one-lot", ONE_LOT, {})
    if bid.envelopes != asked.envelopes:
        return Refused("other-envelopes", OTHER_ENVELOPES, {"envelopes": ", ".join(asked.envelopes)})
    if id_of(bid.bid_id) is None:
        return Refused("no-bid-id", NO_BID_ID, {})
    return None


def follows(chain: Sequence[RowFacts], replaces: str) -> Refused | None:
    """A new bid is the first that stands for its lot, or says which one it replaces."""
    current = standing(chain)
    if len(chain) >= VERSIONS_MAX:
        return Refused("too-many-versions", TOO_MANY_VERSIONS, {})
    if current is None:
        return Refused("nothing-to-replace", NOTHING_STANDS, {}) if replaces else None
    if not replaces:
        return Refused("bid-there", BID_THERE, {})
    return None if replaces == current.manifest_sha256 else Refused("not-the-last", NOT_THE_LAST, {})


def key_set_of(document: Mapping[str, Any]) -> KeySet:
    """The keys that a published version tells bidders to seal to."""
    commission = document["commission"]
    members = tuple(Member(one["seat_id"], one["key"]) for one in commission["members"])
    return KeySet(document["tender_id"], commission["shares_needed"], members)


def files_from(terms: Mapping[str, Term]) -> datetime:
    """The instant from which the time for sealed files counts: the deadline, or so much later as a tender was held
    while that time ran.
    """
    return (terms.get(FILES) or terms["bidding"]).until


def files_until(deadline: datetime, profile: Profile) -> datetime:
    """The last instant at which sealed files of submitted bids are taken."""
    return deadline + timedelta(minutes=profile.number("ciphertext_grace").value) / profile.accelerator


def cover_count(left: timedelta, draw: Callable[[int], int]) -> int:
    """How many rows that are nothing to write now; ``draw(n)`` gives a secret random number below n.

    Bids come late, and so do these: their number swings by more than any real tender has bids.
    """
    for within, most in _COVERS:
        if left <= within:
            return draw(most + 1)
    return draw(2)


FILES: Final = "files"
"""The term that a suspension within the time for sealed files leaves behind: the bidding's, moved by that much."""
_COVERS: Final = ((timedelta(hours=1), 24), (timedelta(days=1), 8), (timedelta(days=3), 3))


def id_of(text: str) -> UUID | None:
    """The id that ``text`` is, in the one way that it can be written; None for anything else."""
    try:
        id = UUID(text)
    except ValueError:
        return None
    return id if str(id) == text else None


ANOTHER_BIDDER: Final = N_("This bid was sealed in the name of another supplier. Seal it anew.")
ONE_LOT: Final = N_("A bid is for one lot of this tender that still takes bids. Seal one for each lot.")
OTHER_ENVELOPES: Final = N_("This tender asks for these envelopes: %(envelopes)s. Seal the bid anew.")
NO_BID_ID: Final = N_("The bid's number is not in the form that is used here. Seal the bid anew.")
TOO_MANY_VERSIONS: Final = N_("You have changed your bid for this lot too often. The last one stands.")
NOTHING_STANDS: Final = N_("There is no bid of yours for this lot that stands. Submit a new one.")
BID_THERE: Final = N_("You already have a bid for this lot. Replace it or withdraw it.")
NOT_THE_LAST: Final = N_("Your bid has changed since you sealed this one. Load the page and seal it anew.")
