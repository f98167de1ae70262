"""What whoever takes the whole database, and the server's secret too, learns of bids before the opening: nothing."""

import base64
import gzip
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.database import Model, Work
from schoolmeals.errors import Conflict
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import bidding, closing
from schoolmeals.procurement.models import CiphertextPart, SealedRow
from schoolmeals.procurement.parts import all_rows, stored_file
from schoolmeals.procurement.rules.bids import RowKind
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import Manifest
from tests.factories.bids import KEYS, MadeBid, make_bid, submit, upload
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import Procurement, somebody

MARKER = "MarkerZq7xKv93Plainly"
BIDS = 20
HOW: dict[str, Any] = {"keys": KEYS, "clock": deed_clock}


def everything(work: Work) -> Iterator[bytes]:
    """Every row of every table, as the database itself writes it, with its binary columns as bytes besides."""
    for table in Model.metadata.sorted_tables:
        for row in work.session.execute(select(table)):
            for value in row:
                yield bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    for (line,) in work.session.execute(text("SELECT j::text FROM procrastinate_jobs j")):
        yield line.encode()


def disguises(marker: str) -> list[bytes]:
    """How the marker could stand somewhere: plain, in hex, and in base64 at each of the three offsets."""
    plain = marker.encode()
    inner = [base64.b64encode(bytes(shift) + plain)[4 if shift else 0 : -4] for shift in range(3)]
    return [plain, plain.hex().encode(), plain.hex().upper().encode(), plain[::-1], *inner]


def found_in(pieces: Iterator[bytes]) -> list[bytes]:
    haystack = b"\n".join(pieces)
    return [one for one in disguises(MARKER) if one in haystack]


def opened_by_the_server(work: Work, tender_id: UUID) -> Iterator[bytes]:
    """What the server's secret opens: the inside of every row, and every sealed file."""
    for row in all_rows(work, KEYS, tender_id):
        yield repr(row).encode()
        if row.kind is RowKind.BID:
            yield row.manifest
            for envelope in Manifest.from_bytes(row.manifest).envelopes:
                with stored_file(work, KEYS, tender_id, envelope) as file:
                    yield file.read()


@pytest.fixture
def bids(world: Procurement) -> tuple[UUID, list[MadeBid]]:
    tender_id = world.tender_in(TenderStage.BIDDING)
    made = []
    for number in range(BIDS):
        tenderer_id = OrganisationFactory.create(kind="supplier").id
        actor = somebody(Role.SUPPLIER, tenderer_id)
        content = {"price_minor": 70_000 + number, "note": MARKER}
        made.append(make_bid(world, tender_id, tenderer_id=tenderer_id, content=content))
        submit(world, tender_id, made[-1], actor=actor)
        upload(world, tender_id, made[-1], actor=actor)
    world.do(bidding.write_cover, tender_id, rows=7, parts=5, actor=SYSTEM, **HOW)
    return tender_id, made


def test_no_bid_is_in_a_dump_nor_in_what_the_servers_secret_opens(
    world: Procurement, bids: tuple[UUID, list[MadeBid]]
) -> None:
    tender_id, _made = bids
    assert world.look(lambda work: found_in(everything(work)), actor=SYSTEM) == []
    assert world.look(lambda work: found_in(opened_by_the_server(work, tender_id)), actor=SYSTEM) == []
    world.clock.now = world.until(tender_id, "bidding") + timedelta(seconds=1)
    world.do(closing.close_bidding, tender_id, actor=SYSTEM, **HOW)
    assert world.look(lambda work: found_in(everything(work)), actor=SYSTEM) == []


def test_a_bid_that_leaked_would_be_found(world: Procurement, bids: tuple[UUID, list[MadeBid]]) -> None:
    """The search itself is tried: a table that holds a bid in any of the disguises gives it away."""
    for leak in (MARKER.encode(), MARKER.encode().hex().encode(), base64.b64encode(b"x" + MARKER.encode())):
        assert found_in(iter([b"before", b"{" + leak + b"}"])) != []


def test_suppliers_are_not_in_the_dump_either(world: Procurement, bids: tuple[UUID, list[MadeBid]]) -> None:
    """Beside their own registration nothing names whoever has submitted: not the rows, and not the log."""
    _tender_id, made = bids

    def look(work: Work) -> bytes:
        tables = ("sealed_row", "ciphertext_part", "audit_event", "audit_personal", "tender_act")
        found = [table for table in Model.metadata.sorted_tables if table.name in tables]
        return b"\n".join(
            bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
            for table in found
            for row in work.session.execute(select(table))
            for value in row
        )

    dump = world.look(look, actor=SYSTEM)
    for bid in made:
        for id in (bid.id, bid.tenderer_id):
            assert [one for one in (str(id).encode(), id.bytes, id.hex.encode()) if one in dump] == []
        assert bid.sha256.encode() not in dump


def test_rows_and_pieces_are_of_one_size_and_do_not_compress(
    world: Procurement, bids: tuple[UUID, list[MadeBid]]
) -> None:
    def look(work: Work) -> tuple[list[int], list[int], float]:
        rows = list(work.session.scalars(select(SealedRow.body)))
        sizes = work.session.scalars(select(func.length(CiphertextPart.body)).distinct())
        squeezed = [len(gzip.compress(row)) / len(row) for row in rows]
        return sorted({len(row) for row in rows}), list(sizes), min(squeezed)

    rows, parts, squeezed = world.look(look)
    assert (rows, parts) == ([34_816], [131_100])
    assert squeezed > 0.99
    assert world.look(lambda work: work.session.scalar(select(func.count()).select_from(SealedRow))) == BIDS + 7


def test_a_row_that_was_changed_is_found_at_closing_and_not_dropped(
    world: Procurement, bids: tuple[UUID, list[MadeBid]]
) -> None:
    tender_id, _made = bids

    def spoil(work: Work) -> None:
        row = work.session.execute(select(SealedRow.__table__).limit(1)).one()
        body = row.body[:-1] + bytes([row.body[-1] ^ 1])
        other = SealedRow(tender_id=tender_id, id=bids[1][0].id, claim=bids[1][0].lot_id, at=row.at, body=body)
        work.session.add(other)

    world.do(spoil, actor=SYSTEM)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(seconds=1)
    with pytest.raises(Conflict) as caught:
        world.do(closing.close_bidding, tender_id, actor=SYSTEM, **HOW)
    assert caught.value.code == "sealed-row-damaged"
    assert world.look(lambda work: work.session.scalar(text("SELECT count(*) FROM frozen_bid"))) == 0
