"""The rush at a deadline: 500 suppliers send their manifests within the last two seconds, as their browsers do.

Each has a session and a CSRF token, and 50 clients send for ten of them each, one after the other. Closing comes as
soon as the deadline has passed, and waits for whoever is on the way. Whatever was acknowledged must be in the list.
"""

import http.client
import json
import os
import re
import time
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Final
from uuid import UUID

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, text

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.app import create_app
from schoolmeals.clock import MovableClock, system_clock
from schoolmeals.config import Settings
from schoolmeals.database import db, insert_rows, reading, transaction
from schoolmeals.embedded import EmbeddedServer
from schoolmeals.identity.models import Organisation, Person, RoleGrant, SignInSession
from schoolmeals.ids import new_id
from schoolmeals.keys import token_hash
from schoolmeals.procurement.actions.closing import close_bidding
from schoolmeals.procurement.freezing import frozen_list
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.web.health import MIGRATIONS
from tests.bench import over_http
from tests.bench.ground import SECRET, City, settings_for
from tests.bench.seeding import TICKS, server_seconds
from tests.conftest import A_MONDAY
from tests.factories.bids import MadeBid, like, make_bid
from tests.factories.procurement import Procurement

DATABASE: Final = "rush"
CLIENTS: Final = 50
BIDS: Final = 500
LAST: Final = timedelta(seconds=2)
WARM_UP: Final = 40
"""Bids for another tender, which are not counted: no server meets a deadline with its first request."""
_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Sent:
    """A manifest on its way, and what a browser sends along."""

    bid_id: UUID
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one: its status, and how long that took, in seconds."""

    bid_id: UUID
    status: int
    took: float


@dataclass(frozen=True, slots=True)
class Rushed:
    """What became of all, and whose processor it took, in seconds."""

    answers: list[Answered]
    ours: float
    theirs: float


def measure(server: EmbeddedServer) -> dict[str, float]:
    """How many of 500 were in time, how long answers took, and processor milliseconds for each, ours and PostgreSQL's.

    Raises AssertionError where the frozen list is not what was acknowledged.
    """
    server.ensure_database(DATABASE)
    settings = replace(settings_for(server), database_url=server.app_url(DATABASE))
    settings = replace(settings, database_owner_url=server.owner_url(DATABASE))
    app = create_app(settings)
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
    visit = _visit(app)
    with app.app_context():
        world = Procurement(MovableClock(A_MONDAY))
        warm, tender_id = (world.tender_in(TenderStage.BIDDING) for _ in range(2))
        sent = [_requests(world, warm, WARM_UP, visit), _requests(world, tender_id, BIDS, visit)]
        with over_http.serving(City(settings, (), (), system_clock())) as port:
            _let_end(settings, warm, timedelta(hours=1))
            _send_all(port, sent[0], clients=8)
            rushed = _rush(app, server, port, tender_id, sent[1])
        listed = _listed(tender_id)
        db.engine.dispose()
    assert {one.status for one in rushed.answers} <= {200, 409}
    acknowledged = {one.bid_id for one in rushed.answers if one.status == 200}
    assert listed == acknowledged, f"{len(listed)} listed, {len(acknowledged)} acknowledged"
    took = sorted(one.took for one in rushed.answers)
    return {
        "acknowledged": len(acknowledged),
        "p50_ms": _milliseconds(took, 50),
        "p99_ms": _milliseconds(took, 99),
        "our_cpu_ms_each": round(rushed.ours / BIDS * 1000, 1),
        "database_cpu_ms_each": round(rushed.theirs / BIDS * 1000, 1),
    }


def _rush(app: Flask, server: EmbeddedServer, port: int, tender_id: UUID, sent: Sequence[Sent]) -> Rushed:
    ours, theirs = _web_seconds(), server_seconds(server.data)
    until = _let_end(app.extensions["schoolmeals"].settings, tender_id, LAST)
    closing = Thread(target=_close, args=(app, tender_id, until))
    closing.start()
    answers = _send_all(port, sent, clients=CLIENTS)
    ours, theirs = _web_seconds() - ours, server_seconds(server.data) - theirs
    closing.join()
    return Rushed(answers, ours, theirs)


def _visit(app: Flask) -> dict[str, str]:
    """What a browser has from one look at a page: the cookie of its visit, and the token that goes with it."""
    browser = app.test_client()
    found = _TOKEN.search(browser.get("/sign-in").get_data(as_text=True))
    cookie = browser.get_cookie("visit")
    assert found is not None
    assert cookie is not None
    return {"Content-Type": "application/json", "X-CSRFToken": found[1], "Cookie": f"visit={cookie.value}"}


def _requests(world: Procurement, tender_id: UUID, count: int, visit: dict[str, str]) -> list[Sent]:
    sample = make_bid(world, tender_id)
    tokens = {new_id(): f"{tender_id}-{number}" for number in range(count)}
    _add_suppliers(tokens)
    return [
        _sent(tender_id, like(sample, id), {**visit, "Cookie": f"{visit['Cookie']}; session={token}"})
        for id, token in tokens.items()
    ]


def _sent(tender_id: UUID, bid: MadeBid, headers: dict[str, str]) -> Sent:
    told = {"organisation_id": str(bid.tenderer_id), "manifest": b64encode(bid.manifest).decode()}
    return Sent(bid.id, f"/tenders/{tender_id}/bid/manifest", json.dumps(told).encode(), headers)


def _add_suppliers(tokens: dict[UUID, str]) -> None:
    """Organisations by their ids, each with one person who is signed in."""
    now = system_clock()
    people = {id: new_id() for id in tokens}
    names = dict.fromkeys(("name_kk", "name_ru", "name_en"), "Supplier")
    with transaction(SYSTEM, now) as work:
        organisations = [{"id": id, "kind": "supplier", **names, "created_at": now} for id in tokens]
        insert_rows(work.session, Organisation, organisations)
        persons = [
            {"id": id, "name": "Supplier", "email": f"{id}@example.kz", "language": "kk", "created_at": now}
            for id in people.values()
        ]
        insert_rows(work.session, Person, persons)
        grants = [
            {"id": new_id(), "person_id": person, "role": Role.SUPPLIER.value, "organisation_id": id, "granted_at": now}
            for id, person in people.items()
        ]
        insert_rows(work.session, RoleGrant, grants)
        shared = {"carried_by": "cookie", "factors": ["password"], "user_agent": "bench", "address": "127.0.0.1"}
        times = {"created_at": now, "last_seen_at": now, "expires_at": now + timedelta(days=1)}
        own = [
            {**shared, **times, "id": new_id(), "token_hash": token_hash(token), "person_id": people[id]}
            for id, token in tokens.items()
        ]
        insert_rows(work.session, SignInSession, own)


def _let_end(settings: Settings, tender_id: UUID, left: timedelta) -> datetime:
    """Put a tender's deadline ``left`` from now, by the database's clock, which is the legal one."""
    statement = """
        UPDATE tender SET discussion_until = clock_timestamp() - interval '1 hour',
               bidding_until = clock_timestamp() + :left
         WHERE id = :id RETURNING bidding_until"""
    engine = create_engine(settings.database_owner_url)
    with engine.begin() as connection:
        until: datetime = connection.execute(text(statement), {"left": left, "id": tender_id}).scalar_one()
    engine.dispose()
    return until


def _close(app: Flask, tender_id: UUID, until: datetime) -> None:
    """Freeze the list as soon as that can be done."""
    while system_clock() <= until:
        time.sleep(0.001)
    with app.app_context(), transaction(SYSTEM, system_clock()) as work:
        close_bidding(work, tender_id, keys=ServerKeys.of(SECRET))


def _listed(tender_id: UUID) -> set[UUID]:
    with reading(SYSTEM, system_clock()) as look:
        return {one.id for one in frozen_list(look, tender_id)}


def _send_all(port: int, sent: Sequence[Sent], *, clients: int) -> list[Answered]:
    barrier = Barrier(clients)
    answers: list[Answered] = []

    def client(own: Iterable[Sent]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        barrier.wait(timeout=60)
        for one in own:
            begun = time.perf_counter()
            connection.request("POST", one.path, one.body, one.headers)
            answer = connection.getresponse()
            answer.read()
            answers.append(Answered(one.bid_id, answer.status, time.perf_counter() - begun))
        connection.close()

    threads = [Thread(target=client, args=(sent[place::clients],), daemon=True) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(sent), "a client has failed"
    return answers


def _web_seconds() -> float:
    """Processor time of the web server's processes, which are children of ours."""
    parents: dict[str, str] = {}
    ticks: dict[str, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            is_web = b"gunicorn" in (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        parents[path.parent.name] = fields[1]
        ticks[path.parent.name] = int(fields[11]) + int(fields[12]) if is_web else 0
    own = {str(os.getpid())}
    while grown := {id for id, parent in parents.items() if parent in own} - own:
        own |= grown
    return sum(ticks.get(id, 0) for id in own) / TICKS


def _milliseconds(spent: Sequence[float], percent: int) -> int:
    return round(spent[min(len(spent) - 1, len(spent) * percent // 100)] * 1000)
