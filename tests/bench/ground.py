"""A city on a PostgreSQL of its own with normal durability: schools, tills, pupils with cards and money, menus."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask_migrate import upgrade

from schoolmeals import ledger, pupils, wallet
from schoolmeals.actors import SYSTEM
from schoolmeals.app import create_app
from schoolmeals.canteen.api.till import CARD_NUMBERS
from schoolmeals.canteen.models import Menu, MenuItem, Sitting
from schoolmeals.clock import system_clock
from schoolmeals.config import Settings
from schoolmeals.database import Work, db, insert_rows, transaction
from schoolmeals.embedded import EmbeddedServer
from schoolmeals.identity.models import Device, Organisation, Person
from schoolmeals.ids import new_id
from schoolmeals.keys import derive_key, token_hash
from schoolmeals.money import Money
from schoolmeals.pupils.models import Card, Pupil, SchoolClass
from schoolmeals.web.health import MIGRATIONS
from schoolmeals.workdays import local_day

DATABASE: Final = "bench"
SECRET: Final = "only-for-benches-only-for-benches-only-for-benches"
KEY: Final = ec.generate_private_key(ec.SECP256R1())
SCHOOLS: Final = 20
PUPILS: Final = 500
"""In each school."""
DAYS: Final = 40
"""With a menu, up to today: each pupil eats once a day, so a workload takes one day after the other."""
TILLS: Final = 4
LUNCH_MINOR: Final = 850_00


@dataclass(frozen=True, slots=True)
class School:
    """Where taps come from."""

    id: UUID
    sitting_id: UUID
    till_ids: tuple[UUID, ...]
    card_numbers: tuple[str, ...]
    card_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class City:
    """Everything the workloads need. ``days`` are school days with menus, the earliest first."""

    settings: Settings
    schools: tuple[School, ...]
    days: tuple[date, ...]
    now: datetime


@contextmanager
def bench_server() -> Iterator[EmbeddedServer]:
    """A server in a folder of its own, as durable as in production."""
    with (
        TemporaryDirectory(prefix="schoolmeals-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedServer.start(Path(folder) / "pg") as server,
    ):
        server.ensure_database(DATABASE)
        yield server


def settings_for(server: EmbeddedServer) -> Settings:
    """The product's settings on the bench's database, as in production but for the address."""
    return Settings(
        demo=True,
        secret_key=SECRET,
        database_url=server.app_url(DATABASE),
        database_owner_url=server.owner_url(DATABASE),
        database_pool_size=16,
        base_url="http://localhost",
    )


def build_city(settings: Settings, *, schools: int = SCHOOLS, pupils_each: int = PUPILS) -> City:
    """Migrate the database and fill it. Rows are written as the rooms write them, without their audit events."""
    app = create_app(settings)
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
        now = system_clock()
        today = local_day(now, app.extensions["schoolmeals"].zone)
        days = tuple(today - timedelta(days=n) for n in reversed(range(DAYS)))
        built = tuple(_build_school(now, days, number, pupils_each) for number in range(schools))
        db.engine.dispose()
    return City(settings, built, days, now)


def signature_of(body: bytes) -> bytes:
    """r and s under ``body``, 32 bytes each, as a till's browser makes them."""
    r, s = decode_dss_signature(KEY.sign(body, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def till_token(till_id: UUID) -> str:
    """The secret of a till's cookie."""
    return hashlib.sha256(f"{SECRET} {till_id}".encode()).hexdigest()


def _build_school(now: datetime, days: tuple[date, ...], number: int, pupils_each: int) -> School:
    school_id, sitting_id, class_id, cashier_id = (new_id() for _ in range(4))
    tills = tuple(new_id() for _ in range(TILLS))
    numbers = tuple(f"04{number:04X}{n:08X}" for n in range(pupils_each))
    key = derive_key(SECRET, CARD_NUMBERS)
    school = School(school_id, sitting_id, tills, numbers, tuple(pupils.number_hash(key, one) for one in numbers))
    with transaction(SYSTEM, now) as work:
        _add_people(work, school_id, cashier_id, tills, number)
        _add_menus(work, school_id, sitting_id, days)
        pupil_ids = _add_pupils(work, school, class_id)
        _fill_purses(work, school_id, pupil_ids)
    return school


def _add_people(work: Work, school_id: UUID, cashier_id: UUID, tills: tuple[UUID, ...], number: int) -> None:
    name = f"Bench {number}"
    add = work.session.add
    add(Organisation(id=school_id, kind="school", name_kk=name, name_ru=name, name_en=name, created_at=work.now))
    add(Person(id=cashier_id, name=name, email=f"bench{number}@example.kz", language="kk", created_at=work.now))
    work.session.flush()
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for place, till_id in enumerate(tills):
        add(
            Device(
                id=till_id,
                school_id=school_id,
                name=f"Till {place}",
                public_key=public,
                token_hash=token_hash(till_token(till_id)),
                cashier_id=cashier_id,
                shift_opened_at=work.now,
                created_at=work.now,
                enrolled_at=work.now,
            )
        )
    work.session.flush()


def _add_menus(work: Work, school_id: UUID, sitting_id: UUID, days: tuple[date, ...]) -> None:
    own: dict[str, Any] = {"school_id": school_id}
    hours = {"opens_at": time(0), "closes_at": time(23, 59, 59, 999999)}
    insert_rows(work.session, Sitting, [{**own, "id": sitting_id, "meal": "lunch", "shift": 1, **hours}])
    menus = [{**own, "id": new_id(), "day": day, "sitting_id": sitting_id, "version": 1} for day in days]
    insert_rows(work.session, Menu, menus)
    lines = [
        {
            **own,
            "id": new_id(),
            "menu_id": menu["id"],
            "position": place,
            "kind": "set" if group else "buffet",
            "age_group": group,
            "name_kk": "Түскі ас",
            "name_ru": "Обед",
            "name_en": "Lunch",
            "dishes": [],
            "price_minor": LUNCH_MINOR if group else 200_00 + place,
            "currency": "KZT",
            "allergens": ["milk"],
            "from_version": 1,
        }
        for menu in menus
        for place, group in enumerate(("6-10", "11-14", "15-18", None, None, None, None))
    ]
    insert_rows(work.session, MenuItem, lines)


def _add_pupils(work: Work, school: School, class_id: UUID) -> list[UUID]:
    own: dict[str, Any] = {"school_id": school.id}
    work.session.add(SchoolClass(**own, id=class_id, sourced_id="5", name="5 «Ә»", sort_key="5", grade=5, shift=1))
    work.session.flush()
    rows = [
        {
            **own,
            "id": new_id(),
            "sourced_id": number,
            "surname": "Сейітқали",
            "given_name": "Айгерім",
            "patronymic": "",
            "sort_key": number,
            "class_id": class_id,
            "diet_note": "",
            "joined_on": date(2020, 9, 1),
        }
        for number in school.card_numbers
    ]
    insert_rows(work.session, Pupil, rows)
    cards = [
        {
            **own,
            "id": new_id(),
            "pupil_id": row["id"],
            "kind": "iso14443",
            "number_hash": number_hash,
            "label": "…",
            "issued_at": datetime(2020, 9, 1, tzinfo=UTC),
        }
        for row, number_hash in zip(rows, school.card_hashes, strict=True)
    ]
    insert_rows(work.session, Card, cards)
    return [row["id"] for row in rows]


def _fill_purses(work: Work, school_id: UUID, pupil_ids: list[UUID]) -> None:
    purses = wallet.lock_purses(work, school_id, pupil_ids)
    accounts = wallet.school_accounts(work, school_id)
    entries = [
        ledger.Entry(new_id(), "top-up", (ledger.Movement(accounts.cash_desk, purse.money.id, Money.major(100_000)),))
        for purse in purses.values()
    ]
    ledger.post(work, school_id, entries, known_new=True)
