"""Suppliers: registering, describing oneself, people, papers and the ledger; each deed allowed, and refused exactly."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import func, select

from schoolmeals import identity
from schoolmeals.actors import PUBLIC, Actor, Role
from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotAllowed, NotFound
from schoolmeals.ids import new_id
from schoolmeals.keys import derive_key
from schoolmeals.procurement import suppliers
from schoolmeals.procurement.actions import ledger as deeds
from schoolmeals.procurement.actions import suppliers as supplier_deeds
from schoolmeals.procurement.models import Supplier, SupplierEvidence, SupplierStaff
from schoolmeals.procurement.queries import suppliers as looks
from schoolmeals.procurement.rules.conflicts import MemberTraits, PersonTraits, hits
from schoolmeals.procurement.rules.identifiers import people_key, person_key
from schoolmeals.procurement.rules.suppliers import (
    NewEquipment,
    NewExperience,
    NewStaff,
    NewSupplier,
    NewTax,
    PersonLine,
    SupplierDetails,
)
from tests.factories.identity import OrganisationFactory, actor_of
from tests.factories.procurement import SERVER_SECRET, Procurement, somebody

KEY: Final = derive_key(SERVER_SECRET, "procurement evidence")
COOK: Final = person_key(people_key(SERVER_SECRET), "KZ-IIN", "950217400083")
PDF: Final = b"%PDF-1.7 a diploma"
DETAILS: Final = SupplierDetails(
    addresses=("Астана, Абай 12",),
    phones=("+7 701 555 00 00",),
    people=(PersonLine(part="head", surname="Ахметов", given_name="Ерлан", patronymic="Серікұлы"),),
    founders=("050540004455",),
    head_keys=(COOK,),
)
NEW: Final = NewSupplier(
    name_kk="«Дәм» ЖШС",
    name_ru="ТОО «Дәм»",
    name_en="",
    scheme="KZ-BIN",
    number="090840003425",
    details=DETAILS,
    position="Директор",
    basis="Жарғы",
)
STAFF: Final = NewStaff(
    person_key=COOK,
    name="Серікова Айгүл",
    post="cook",
    education="college",
    grade=5,
    fte_percent=60,
    started_on=date(2025, 1, 10),
)
EQUIPMENT: Final = NewEquipment(name="Пеш", count=2, owned=True)
EXPERIENCE: Final = NewExperience(
    customer="«Шаңырақ» ЖШС",
    public=False,
    subject="Түскі ас",
    starts_on=date(2022, 1, 10),
    ends_on=date(2024, 12, 31),
)
TAX: Final = NewTax(year=2025, region="Астана")


def evidence(work: Work, organisation_id: UUID, content: bytes = PDF, **how: Any) -> str:
    given = {"kind": "diploma", "title": "Диплом", "file_name": "Диплом.pdf", "key": KEY} | how
    return supplier_deeds.add_evidence(work, organisation_id, content, **given)


def rows(work: Work) -> tuple[int, ...]:
    tables = (Supplier, SupplierStaff, SupplierEvidence, AuditEvent)
    return tuple(work.session.scalar(select(func.count()).select_from(one)) or 0 for one in tables)


def codes(refused: pytest.ExceptionInfo[Invalid]) -> dict[str, list[str]]:
    return {name: [one.code for one in problems] for name, problems in refused.value.fields.items()}


def test_somebody_registers_a_supplier_and_acts_for_it(world: Procurement) -> None:
    assert world.stranger.id is not None
    made = world.do(supplier_deeds.register_supplier, NEW, actor=world.stranger)
    acting = actor_of(world.stranger.id, (Role.SUPPLIER, made))
    own = world.look(looks.supplier, made, actor=acting)
    assert (own.organisation.kind, own.organisation.identifier_scheme, own.organisation.identifier) == (
        "supplier",
        "KZ-BIN",
        "090840003425",
    )
    assert own.organisation.name_en == "ТОО «Дәм»"
    assert own.details is not None
    assert own.details.registered_by == world.stranger.id
    assert world.look(identity.holds_role, world.stranger.id, made, Role.SUPPLIER)
    (who,) = world.look(looks.representatives, made, actor=acting)
    assert (who.id, who.position, who.basis, who.waits) == (world.stranger.id, "Директор", "Жарғы", False)
    assert [one.id for one in world.look(looks.my_suppliers, actor=acting)] == [made]


def test_a_number_is_registered_once(world: Procurement) -> None:
    world.do(supplier_deeds.register_supplier, NEW, actor=world.stranger)
    before = world.look(rows)
    with pytest.raises(Conflict) as refused:
        world.do(supplier_deeds.register_supplier, NEW, actor=world.buyer)
    assert refused.value.code == "supplier-known"
    assert world.look(rows) == before


def test_a_supplier_of_another_country_keeps_its_scheme(world: Procurement) -> None:
    made = world.do(
        supplier_deeds.register_supplier, _with(NEW, scheme="RU-INN", number="7707083893"), actor=world.stranger
    )
    facts = world.look(identity.organisation, made)
    assert (facts.identifier_scheme, facts.identifier) == ("RU-INN", "7707083893")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"number": "090840003424"}, "number", "not-a-bin"),
        ({"scheme": "KZ-IIN"}, "number", "not-an-iin"),
        ({"scheme": "inn"}, "scheme", "no-scheme"),
        ({"name_kk": " "}, "name_kk", "needed"),
        ({"basis": ""}, "basis", "needed"),
        ({"details": SupplierDetails(phones=("1",), people=DETAILS.people)}, "addresses", "needed"),
        ({"details": SupplierDetails(addresses=("A",), people=DETAILS.people)}, "phones", "needed"),
        ({"details": SupplierDetails(addresses=("A",), phones=("1",))}, "head_surname", "needed"),
    ],
)
def test_what_cannot_be_registered(world: Procurement, change: dict[str, Any], field: str, code: str) -> None:
    before = world.look(rows)
    with pytest.raises(Invalid) as refused:
        world.do(supplier_deeds.register_supplier, _with(NEW, **change), actor=world.stranger)
    assert codes(refused)[field] == [code]
    assert world.look(rows) == before


def test_the_public_registers_nobody(world: Procurement) -> None:
    with pytest.raises(NotAllowed):
        world.do(supplier_deeds.register_supplier, NEW, actor=PUBLIC)


def test_a_supplier_describes_itself_anew_and_its_heads_stay(world: Procurement) -> None:
    for details in (DETAILS, _with(DETAILS, phones=("+7 702 000 00 00",), head_keys=())):
        world.do(supplier_deeds.change_supplier, world.supplier_id, details, actor=world.supplier)
    found = world.look(looks.supplier, world.supplier_id, actor=world.supplier).details
    assert (found.phones, found.person_keys) == (["+7 702 000 00 00"], [COOK])


def test_conflicts_are_found_by_what_a_supplier_says(world: Procurement) -> None:
    world.do(supplier_deeds.change_supplier, world.supplier_id, DETAILS, actor=world.supplier)
    traits = world.look(suppliers.tenderer_traits, world.supplier_id, None)
    sister = MemberTraits(
        PersonTraits("Ахметова", "Серікқызы", ("г. Астана, ул. Абай, д. 12",), ("8 701 555 00 00",)),
        founded=frozenset({"050540004455"}),
    )
    assert [hit.kind.value for hit in hits(sister, traits)] == [
        "address",
        "phone",
        "surname-and-patronymic",
        "founder",
    ]
    bare = OrganisationFactory.create(kind="supplier", address="Абай 1")
    assert world.look(suppliers.tenderer_traits, bare.id, None).addresses == ("Абай 1",)


def test_people_are_invited_and_let_go(world: Procurement) -> None:
    keys = identity.Keyring.of(SERVER_SECRET)
    about = {"name": "Болат Ким", "position": "Заңгер", "basis": "№ 5 сенімхат", "keys": keys}
    code = world.do(supplier_deeds.invite_representative, world.supplier_id, actor=world.supplier, **about)
    assert len(code) >= 8
    waiting = [one for one in world.look(looks.representatives, world.supplier_id, actor=world.supplier) if one.waits]
    assert [(one.name, one.position) for one in waiting] == [("Болат Ким", "Заңгер")]
    world.do(supplier_deeds.end_representative, world.supplier_id, waiting[0].id, actor=world.supplier)
    other = somebody(Role.SUPPLIER, world.supplier_id)
    world.do(supplier_deeds.end_representative, world.supplier_id, other.id, actor=world.supplier)
    left = world.look(looks.representatives, world.supplier_id, actor=world.supplier)
    assert [one.id for one in left] == [world.supplier.id]
    with pytest.raises(NotAllowed) as refused:
        world.do(supplier_deeds.end_representative, world.supplier_id, world.supplier.id, actor=world.supplier)
    assert refused.value.code == "own-role"
    about["basis"] = ""
    with pytest.raises(Invalid) as incomplete:
        world.do(supplier_deeds.invite_representative, world.supplier_id, actor=world.supplier, **about)
    assert codes(incomplete) == {"basis": ["needed"]}


def test_papers_are_sealed_and_their_owner_reads_them(world: Procurement) -> None:
    sha256 = world.do(evidence, world.supplier_id, actor=world.supplier)
    row, content = world.look(looks.evidence_content, world.supplier_id, sha256, key=KEY, actor=world.supplier)
    assert (content, row.media_type, row.file_name) == (PDF, "application/pdf", "Диплом.pdf")
    assert row.content is not None
    assert b"diploma" not in row.content
    # The same paper again is the same line, under its new title.
    assert world.do(evidence, world.supplier_id, title="Аспаз дипломы", actor=world.supplier) == sha256
    assert [one.title for one in world.look(looks.evidence, world.supplier_id, actor=world.supplier)] == [
        "Аспаз дипломы"
    ]
    world.do(supplier_deeds.remove_evidence, world.supplier_id, sha256, actor=world.supplier)
    assert world.look(looks.evidence, world.supplier_id, actor=world.supplier) == []
    with pytest.raises(NotFound):
        world.look(looks.evidence_content, world.supplier_id, sha256, key=KEY, actor=world.supplier)
    with pytest.raises(NotFound):
        world.do(supplier_deeds.remove_evidence, world.supplier_id, sha256, actor=world.supplier)
    assert world.do(evidence, world.supplier_id, actor=world.supplier) == sha256


@pytest.mark.parametrize(
    ("content", "how", "field", "code"),
    [
        (b"", {}, "file", "no-file"),
        (b"MZ\x90", {"file_name": "diploma.pdf"}, "file", "wrong-type"),
        (b"<html>%PDF-", {}, "file", "wrong-type"),
        (b"%PDF-" + bytes(10_000_000), {}, "file", "file-too-large"),
        (PDF, {"kind": "letter"}, "kind", "unknown"),
        (PDF, {"title": ""}, "title", "needed"),
    ],
)
def test_papers_that_are_not_taken(
    world: Procurement, content: bytes, how: dict[str, Any], field: str, code: str
) -> None:
    before = world.look(rows)
    with pytest.raises(Invalid) as refused:
        world.do(evidence, world.supplier_id, content, actor=world.supplier, **how)
    assert codes(refused) == {field: [code]}
    assert world.look(rows) == before


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("C:\\papers\\a.exe", "a.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        (".pdf", "paper.pdf"),
        ("ә" * 90, "ә" * 60 + ".pdf"),
    ],
)
def test_names_of_papers_fit_into_an_envelope(world: Procurement, name: str, kept: str) -> None:
    world.do(evidence, world.supplier_id, file_name=name, actor=world.supplier)
    assert [one.file_name for one in world.look(looks.evidence, world.supplier_id, actor=world.supplier)] == [kept]


def test_the_ledger_is_filled_and_ended(world: Procurement) -> None:
    sha256 = world.do(evidence, world.supplier_id, actor=world.supplier)
    own = world.supplier_id
    staff = world.do(deeds.add_staff, own, _with(STAFF, evidence=(sha256,)), actor=world.supplier)
    oven = world.do(deeds.add_equipment, own, EQUIPMENT, actor=world.supplier)
    work_done = world.do(deeds.add_experience, own, EXPERIENCE, actor=world.supplier)
    tax = world.do(deeds.add_tax, own, TAX, actor=world.supplier)
    found = world.look(looks.ledger, own, actor=world.supplier)
    assert [(one.facts.id, one.facts.evidence, one.overloaded) for one in found.staff] == [(staff, (sha256,), False)]
    assert [one.id for one in (*found.equipment, *found.experience, *found.taxes)] == [oven, work_done, tax]
    facts = world.look(suppliers.staff_facts, [staff, new_id()])
    assert (list(facts), facts[staff].person_key, facts[staff].grade) == ([staff], COOK, 5)
    world.do(deeds.end_staff, own, staff, world.clock().date(), actor=world.supplier)
    for deed, id in ((deeds.end_equipment, oven), (deeds.end_experience, work_done), (deeds.end_tax, tax)):
        world.do(deed, own, id, actor=world.supplier)
        with pytest.raises(NotFound):
            world.do(deed, own, id, actor=world.supplier)
    left = world.look(looks.ledger, own, actor=world.supplier)
    assert (left.staff, left.equipment, left.experience, left.taxes) == ((), (), (), ())


@pytest.mark.parametrize(
    ("deed", "line", "field", "code"),
    [
        (deeds.add_staff, {"post": "director"}, "post", "unknown"),
        (deeds.add_staff, {"education": "school"}, "education", "unknown"),
        (deeds.add_staff, {"grade": 7}, "grade", "wrong-grade"),
        (deeds.add_staff, {"fte_percent": 101}, "fte_percent", "wrong-time"),
        (deeds.add_staff, {"evidence": ("ab" * 32,)}, "evidence", "not-there"),
        (deeds.add_equipment, {"count": 0}, "count", "wrong-count"),
        (deeds.add_experience, {"ends_on": date(2021, 1, 1)}, "ends_on", "ends-early"),
        (deeds.add_experience, {"starts_on": date(2027, 1, 1), "ends_on": date(2027, 2, 1)}, "starts_on", "to-come"),
        (deeds.add_tax, {"year": 2027}, "year", "wrong-year"),
    ],
)
def test_lines_that_are_not_taken(
    world: Procurement, deed: Callable[..., UUID], line: dict[str, Any], field: str, code: str
) -> None:
    base = {"add_staff": STAFF, "add_equipment": EQUIPMENT, "add_experience": EXPERIENCE, "add_tax": TAX}
    before = world.look(rows)
    with pytest.raises(Invalid) as refused:
        world.do(deed, world.supplier_id, _with(base[deed.__name__], **line), actor=world.supplier)
    assert codes(refused) == {field: [code]}
    assert world.look(rows) == before


def test_papers_of_others_prove_nothing(world: Procurement) -> None:
    other = somebody(Role.SUPPLIER, OrganisationFactory.create(kind="supplier").id)
    (other_id,) = other.schools_as(Role.SUPPLIER)
    theirs = world.do(evidence, other_id, actor=other)
    with pytest.raises(Invalid) as refused:
        world.do(deeds.add_equipment, world.supplier_id, _with(EQUIPMENT, evidence=(theirs,)), actor=world.supplier)
    assert codes(refused) == {"evidence": ["not-there"]}


def test_one_person_is_in_one_post_once_and_too_much_work_is_flagged(world: Procurement) -> None:
    """F1, F3: nobody works more than their whole time, and both employers see that something is wrong."""
    other_id = OrganisationFactory.create(kind="supplier").id
    other = somebody(Role.SUPPLIER, other_id)
    staff = world.do(deeds.add_staff, world.supplier_id, STAFF, actor=world.supplier)
    with pytest.raises(Conflict) as refused:
        world.do(deeds.add_staff, world.supplier_id, STAFF, actor=world.supplier)
    assert refused.value.code == "in-this-post"
    world.do(deeds.add_staff, other_id, _with(STAFF, fte_percent=40), actor=other)
    today = world.clock().date()
    assert world.look(suppliers.fte_by_person, [COOK], today) == {COOK: 100}
    assert not world.look(looks.ledger, other_id, actor=other).staff[0].overloaded
    world.do(deeds.add_staff, other_id, _with(STAFF, post="technologist", fte_percent=1), actor=other)
    assert world.look(suppliers.fte_by_person, [COOK], today) == {COOK: 101}
    for who, own in ((world.supplier, world.supplier_id), (other, other_id)):
        assert all(one.overloaded for one in world.look(looks.ledger, own, actor=who).staff)
    with pytest.raises(Invalid):
        world.do(deeds.end_staff, world.supplier_id, staff, date(2025, 1, 9), actor=world.supplier)
    world.do(deeds.end_staff, world.supplier_id, staff, today - timedelta(days=1), actor=world.supplier)
    assert world.look(suppliers.fte_by_person, [COOK], today) == {COOK: 41}


def test_nobody_else_comes_near(world: Procurement) -> None:
    sha256 = world.do(evidence, world.supplier_id, actor=world.supplier)
    oven = world.do(deeds.add_equipment, world.supplier_id, EQUIPMENT, actor=world.supplier)
    staff = world.do(deeds.add_staff, world.supplier_id, STAFF, actor=world.supplier)
    own = world.supplier_id
    before = world.look(rows)
    keys = identity.Keyring.of(SERVER_SECRET)
    doings: tuple[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]], ...] = (
        (supplier_deeds.change_supplier, (own, DETAILS), {}),
        (supplier_deeds.invite_representative, (own,), {"name": "A", "position": "B", "basis": "C", "keys": keys}),
        (supplier_deeds.end_representative, (own, world.supplier.id), {}),
        (evidence, (own, b"%PDF-2"), {}),
        (supplier_deeds.remove_evidence, (own, sha256), {}),
        (deeds.add_staff, (own, STAFF), {}),
        (deeds.end_staff, (own, staff, world.clock().date()), {}),
        (deeds.add_equipment, (own, EQUIPMENT), {}),
        (deeds.end_equipment, (own, oven), {}),
        (deeds.add_experience, (own, EXPERIENCE), {}),
        (deeds.end_experience, (own, oven), {}),
        (deeds.add_tax, (own, TAX), {}),
        (deeds.end_tax, (own, oven), {}),
    )
    other = somebody(Role.SUPPLIER, OrganisationFactory.create(kind="supplier").id)
    strangers: tuple[tuple[Actor, type[Exception]], ...] = (
        (other, NotFound),
        (world.editor, NotAllowed),
        (world.city_admin, NotAllowed),
        (world.auditor, NotAllowed),
        (PUBLIC, NotAllowed),
    )
    for actor, kind in strangers:
        for deed, args, how in doings:
            with pytest.raises(kind):
                world.do(deed, *args, actor=actor, **how)
        for look in (looks.supplier, looks.ledger, looks.evidence, looks.representatives):
            with pytest.raises(NotFound):
                world.look(look, own, actor=actor)
        with pytest.raises(NotFound):
            world.look(looks.evidence_content, own, sha256, key=KEY, actor=actor)
    assert world.look(rows) == before


def test_no_personal_number_is_anywhere(world: Procurement) -> None:
    world.do(deeds.add_staff, world.supplier_id, STAFF, actor=world.supplier)
    row = world.look(lambda work: work.session.scalar(select(SupplierStaff)))
    assert row.person_key == COOK
    events = world.look(lambda work: [event.payload for event in work.session.scalars(select(AuditEvent))])
    assert "950217400083" not in str(events)
    assert "Серікова" not in str(events)


def _with(value: Any, **changes: Any) -> Any:
    return replace(value, **changes)
