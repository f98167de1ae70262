"""A file of an opened bid: opened anew from the shares that are public, for those at the commission's table."""

from uuid import UUID

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.candidates import BidFile, candidates
from schoolmeals.procurement.models import OpenedBid
from schoolmeals.procurement.queries.admission import READERS, at_the_table
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.sealing import SealingFault
from schoolmeals.procurement.unsealing import Envelope, manifest_of, profile_at, unseal_envelope

_PERSONAL: frozenset[Party] = READERS - {Party.OFFICER, Party.CITY_ADMIN}
"""Diplomas and certificates are about people: those read them who decide, and those who watch over them."""


def bid_file(work: Work, tender_id: UUID, bid_id: UUID, sha256: str, *, keys: ServerKeys) -> tuple[BidFile, bytes]:
    """A file by its digest, and its bytes. Raises NotFound, also where its envelope cannot be opened any more."""
    hand = at_the_table(work, tender_id)
    if hand.parties.isdisjoint(_PERSONAL):
        raise NotFound
    bid = next((one for one in candidates(work, hand, profile_at(work, hand).envelopes) if one.id == bid_id), None)
    file = next((one for one in bid.files if one.sha256 == sha256), None) if bid is not None else None
    if bid is None or file is None:
        raise NotFound
    row = work.session.get_one(OpenedBid, (bid_id, file.envelope))
    try:
        one = Envelope(bid.row, file.envelope, manifest_of(work, bid.row))
        with unseal_envelope(work, keys, one, row.recovery) as opened:
            return file, opened.read(file.name)
    except SealingFault as fault:
        raise NotFound from fault
