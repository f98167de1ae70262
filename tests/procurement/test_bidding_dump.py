"""Before the opening: a dump, every secret of the server and all but one of the members' keys that are needed read no
bid, and nothing of one is in logs, letters or promised jobs.
"""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals import audit, mail
from schoolmeals.actors import SYSTEM, Role
from schoolmeals.database import Work
from schoolmeals.keys import token_hash
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import bidding, closing
from schoolmeals.procurement.rules.bids import PART_BYTES
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.bids import KEYS, SERVER_SECRET, MadeBid, keys_of, make_bid
from tests.factories.identity import OrganisationFactory, SessionFactory
from tests.factories.procurement import Procurement, somebody
from tests.procurement.dumped import bids_in, dump, read_bid, rows_in

BIDS: Final = 20
NOTE: Final = "MarkerZq7xKv93Plainly"
COOK: Final = "Жұпарбекова Ұлпан"
PRICE: Final = 7_654_321_765_432
"""So long that no digest in a dump holds it by chance."""
HOW: Final[dict[str, Any]] = {"keys": KEYS, "clock": deed_clock}


def content_of(number: int) -> dict[str, Any]:
    return {"price_minor": PRICE + number, "note": NOTE, "staff": [{"name": COOK}]}


class Given:
    """A tender for which some suppliers have handed in all that they had, by HTTP."""

    def __init__(self, app: Flask, world: Procurement, bids: int) -> None:
        self.app, self.world = app, world
        self.tender_id = world.tender_in(TenderStage.BIDDING)
        self.bids = [self._hand_in(number) for number in range(bids)]
        world.do(bidding.write_cover, self.tender_id, rows=5, parts=5, actor=SYSTEM, **HOW)

    @property
    def needed(self) -> int:
        return keys_of(self.world, self.tender_id).k

    def members(self, count: int) -> list[str]:
        """The private keys of so many members."""
        seats = [one.id for one in keys_of(self.world, self.tender_id).members]
        return [self.world.identities[UUID(id)] for id in seats[:count]]

    def _hand_in(self, number: int) -> MadeBid:
        supplier_id = OrganisationFactory.create(kind="supplier").id
        actor = somebody(Role.SUPPLIER, supplier_id)
        assert actor.id is not None
        bid = make_bid(self.world, self.tender_id, tenderer_id=supplier_id, content=content_of(number))
        token = f"token-of-{number}"
        now = self.world.clock()
        SessionFactory.create(token_hash=token_hash(token), person_id=actor.id, carried_by="bearer", created_at=now)
        self._send({"Authorization": f"Bearer {token}"}, bid)
        return bid

    def _send(self, who: dict[str, str], bid: MadeBid) -> None:
        browser = self.app.test_client()
        said = {"organisation_id": str(bid.tenderer_id), "manifest": base64.b64encode(bid.manifest).decode()}
        path = f"/tenders/{self.tender_id}/bid"
        assert browser.post(f"{path}/manifest", json=said, headers=who).status_code == 200
        for name, data in bid.files.items():
            about = f"organisation_id={bid.tenderer_id}&bid_id={bid.id}&envelope={name}"
            for first in range(len(data) // PART_BYTES):
                piece = data[first * PART_BYTES : (first + 1) * PART_BYTES]
                answer = browser.post(f"{path}/part?{about}&first={first}", data=piece, headers=who)
                assert answer.status_code == 200, answer.get_data(as_text=True)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that anybody logs, down to the smallest matter."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def given(app: Flask, world: Procurement, logged: pytest.LogCaptureFixture) -> Given:
    return Given(app, world, BIDS)


@pytest.fixture
def dumped(given: Given) -> str:
    return dump(address_of(given))


def address_of(given: Given) -> str:
    url: str = given.app.extensions["schoolmeals"].settings.database_owner_url
    return url.replace("+psycopg", "")


def told_in(dumped: str) -> Iterator[str]:
    """A dump with its binary values as text besides, so that nothing hides in hex."""
    yield dumped
    for table in ("sealed_row", "ciphertext_part", "letter", "audit_event", "audit_personal"):
        for row in rows_in(dumped, table):
            yield from (bytes.fromhex(one[3:]).decode("latin-1") for one in row.values() if one.startswith("\\\\x"))


def traces_of(text: str) -> list[str]:
    """What of the bids' content stands in a text, plainly, escaped, or in base64."""
    words = [NOTE, COOK, json.dumps(COOK)[1:-1], *(str(PRICE + number) for number in range(BIDS))]
    hidden = [base64.b64encode(word.encode()).decode().rstrip("=")[:-1] for word in (NOTE, COOK)]
    return [word for word in (*words, *hidden) if word in text]


def bids_read(given: Given, dumped: str, members: int) -> int:
    """How many bids the dump, the server's secrets and so many members' keys give away."""
    found = bids_in(dumped, KEYS)
    assert {one.bid_id for one in found} == {one.id for one in given.bids}, "the server's secrets show the manifests"
    texts = [read_bid(dumped, KEYS, one, given.members(members)) for one in found]
    return sum(NOTE in text for text in texts)


def test_a_dump_all_secrets_and_all_but_one_key_read_no_bid_and_one_key_more_reads_all(
    given: Given, dumped: str
) -> None:
    assert given.needed >= 2
    assert bids_read(given, dumped, given.needed - 1) == 0
    # The search is worth something: with one member more it finds everything.
    assert bids_read(given, dumped, given.needed) == BIDS
    # Closing copies manifests into the list, and no more.
    given.world.clock.now = given.world.until(given.tender_id, "bidding") + timedelta(seconds=1)
    given.world.do(closing.close_bidding, given.tender_id, actor=SYSTEM, **HOW)
    after = dump(address_of(given))
    assert [word for text in told_in(after) for word in traces_of(text)] == []
    assert bids_read(given, after, given.needed - 1) == 0


def test_nothing_of_a_bid_is_in_dump_log_or_letters(
    given: Given, dumped: str, logged: pytest.LogCaptureFixture
) -> None:
    assert [word for text in told_in(dumped) for word in traces_of(text)] == []
    assert traces_of(logged.text) == []
    assert "/bid/part" not in logged.text, "the address of a piece says whose it is"
    assert [id for bid in given.bids for id in (str(bid.id), str(bid.tenderer_id)) if id in logged.text] == []
    assert traces_of(letters(given)) == []


def letters(given: Given) -> str:
    """Every letter that was promised, opened with the server's key."""
    key = mail.letters_key(SERVER_SECRET)

    def look(work: Work) -> str:
        return " ".join(str(mail.words_of(one, key)) for one in work.session.scalars(select(mail.Letter)))

    found: str = given.world.look(look, actor=SYSTEM)
    return found


def test_a_trace_would_be_found(app: Flask, world: Procurement, logged: pytest.LogCaptureFixture) -> None:
    """Planted: the log's event, a letter and a line of the log say more than they should."""
    given = Given(app, world, 1)
    leaks = [NOTE, str(PRICE), COOK, json.dumps(COOK), base64.b64encode(COOK.encode()).decode()]

    def tell(work: Work) -> None:
        audit.record(work, "procurement.sealed_row", audit.Subject("sealed-row"), {"said": leaks})
        key = mail.letters_key(SERVER_SECRET)
        mail.promise(work, to="officer@example.kz", language="kk", subject="A bid", text=" ".join(leaks), key=key)
        logging.getLogger("schoolmeals").info("a bid: %s", " ".join(leaks))

    world.do(tell, actor=SYSTEM)
    assert traces_of(dump(address_of(given))) != []
    assert [leak for leak in leaks if not traces_of(leak)] == []
    for text in (letters(given), logged.text):
        assert {NOTE, COOK, str(PRICE)} <= set(traces_of(text))
