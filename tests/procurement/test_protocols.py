"""Protocols: written once, drawn as PDF/A-3 with the JSON inside, and found again by their digest."""

import hashlib
import io
import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pikepdf
import pytest

from schoolmeals.actors import SYSTEM
from schoolmeals.procurement import protocol_papers, protocols
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import opening
from schoolmeals.procurement.models import Protocol, ProtocolPaper
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.quorum import voters
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import Manifest, open_share
from tests.factories.bids import hand_in
from tests.factories.pdf import text_of
from tests.factories.procurement import KEYS, Procurement
from tests.procurement.test_bidding_opening import start

XMP = "http://www.aiim.org/pdfa/ns/id/"


def opened_tender(world: Procurement) -> UUID:
    """A tender with one bid, which three of five members have opened, one of the others with a share that is bad."""
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    seats = voters(world.seats(tender_id))
    for seat in seats[:3]:
        manifest = Manifest.from_bytes(bid.manifest)
        share = open_share(manifest, "qualification", str(seat.id), world.identities[seat.id]).to_bytes()
        world.do(opening.give_shares, tender_id, [share], actor=world.holder(seat))
    unreadable = [(bid.id, "qualification")]
    world.do(opening.give_shares, tender_id, [], unreadable=unreadable, actor=world.holder(seats[3]))
    how: dict[str, Any] = {"keys": KEYS, "clock": deed_clock, "actor": SYSTEM}
    world.do(opening.reveal_bid, tender_id, bid.id, "qualification", **how)
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    return tender_id


def only(world: Procurement, tender_id: UUID) -> Protocol:
    found: Protocol = world.look(
        lambda work: work.session.query(Protocol).filter_by(tender_id=tender_id).one(), actor=SYSTEM
    )
    return found


def test_an_opening_ends_with_its_protocol(world: Procurement) -> None:
    tender_id = opened_tender(world)
    row = only(world, tender_id)
    said = json.loads(row.text)
    assert (row.kind, row.sha256) == ("opening", hashlib.sha256(row.text.encode()).digest())
    assert said["format"] == "schoolmeals-protocol/v1"
    assert (said["tender"]["id"], said["tender"]["version"]) == (str(tender_id), 1)
    content = said["content"]
    assert [one["shares_good"] for one in content["members"]] == [1, 1, 1, 0, 0]
    assert [one["shares_bad"] for one in content["members"]] == [0, 0, 0, 1, 0]
    assert [one["present"] for one in content["members"]] == [True, True, True, True, False]
    assert content["envelopes"] == ["qualification"], "with one envelope the paper calls it the whole bid"
    (bid,) = content["bids"]
    (envelope,) = bid["envelopes"]
    assert (bid["outcome"], envelope["unreadable"]) == ("stands", None)
    assert envelope["faults"] == [{"code": "share-unreadable", "members": voters(world.seats(tender_id))[3].name}]
    acts = world.look(_acts, tender_id, actor=SYSTEM)
    assert acts[-1].payload["protocol_sha256"] == row.sha256.hex()
    assert acts[-1].kind is ActKind.OPENED
    # Nothing of what a bid says is in it but digests.
    assert "79900" not in row.text


def _acts(work: Any, tender_id: UUID) -> Any:
    from schoolmeals.procurement.acting import acts_of

    return acts_of(work, tender_id)


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("kk", "Өтінімдерді ашу хаттамасы"),
        ("ru", "Протокол вскрытия заявок"),
        ("en", "Protocol of the opening of bids"),
    ],
)
def test_a_paper_is_an_archive_with_the_protocol_inside(world: Procurement, language: str, title: str) -> None:
    row = only(world, opened_tender(world))
    protocol_papers.draw_protocol(str(row.id), language)
    # A second run draws nothing new: papers are only added.
    protocol_papers.draw_protocol(str(row.id), language)
    paper: ProtocolPaper = world.look(
        lambda work: work.session.get_one(ProtocolPaper, (row.id, language)), actor=SYSTEM
    )
    assert paper.sha256 == hashlib.sha256(paper.pdf).digest()
    with pikepdf.open(io.BytesIO(paper.pdf)) as pdf:
        # ISO 19005-3: what it claims to be, an output intent, whole fonts, and every file with its part in it.
        with pdf.open_metadata() as about:
            assert (about[f"{{{XMP}}}part"], about[f"{{{XMP}}}conformance"]) == ("3", "U")
        assert str(pdf.Root.OutputIntents[0].S) == "/GTS_PDFA1"
        assert str(pdf.Root.Lang) == language
        assert not pdf.is_encrypted
        assert _unembedded(pdf) == []
        assert {str(one.AFRelationship) for one in pdf.Root.AF} == {"/Source"}
        (name,) = pdf.attachments
        assert name == "protocol.json"
        inside = pdf.attachments[name].get_file()
        assert (inside.mime_type, inside.read_bytes()) == ("application/json", row.text.encode())
        pages = len(pdf.pages)
    words = text_of(paper.pdf).replace("\u00a0", " ").replace("\n", "")
    assert title in words
    sha256 = row.sha256.hex()
    assert words.count(sha256[:32]) >= pages
    assert f"/protocols/{sha256}" in words
    assert f"1 / {pages}" in words


def _unembedded(pdf: Any) -> list[str]:
    """The fonts that are not in the file."""
    fonts = [
        one for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor"
    ]
    assert fonts
    return [str(one.FontName) for one in fonts if not {"/FontFile2", "/FontFile3"} & set(one.keys())]


def test_the_digest_follows_the_content(world: Procurement, clock: Any) -> None:
    tender_id = world.tender_in(TenderStage.ADMISSION)

    def make(work: Any, amount: int) -> str:
        hand = world._at_hand(work, tender_id)
        made = protocols.make_protocol(work, hand, "opening", {"amount": amount})
        return protocols.protocol_sha256(work, made)

    first, second = (world.do(make, amount, actor=SYSTEM) for amount in (1, 2))
    assert first != second
    assert isinstance(clock(), datetime)
