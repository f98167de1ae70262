"""The demo's suppliers: who they are, what their ledgers hold, and how they bid."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import IO, Any, Final
from uuid import UUID

from schoolmeals import identity
from schoolmeals.actors import SYSTEM, Actor, Grant, Role, person
from schoolmeals.demo.chance import chance_of
from schoolmeals.demo.names import new_family
from schoolmeals.demo.notices import POSTS
from schoolmeals.demo.schools import Site
from schoolmeals.ids import new_id
from schoolmeals.kz_id import check_digit
from schoolmeals.procurement.actions import ledger, suppliers
from schoolmeals.procurement.rules.bid_form import FORMAT
from schoolmeals.procurement.rules.identifiers import IIN, person_key
from schoolmeals.procurement.rules.suppliers import (
    NewExperience,
    NewStaff,
    NewSupplier,
    NewTax,
    PersonLine,
    SupplierDetails,
)
from schoolmeals.procurement.sealing import KeySet, Manifest, SourceFile, published_keys, seal_bid

REGION: Final = "Астана"
PAPERS: Final = {
    "registration.pdf": "registration",
    "no-conviction.pdf": "conviction-certificate",
    "contract.pdf": "contract",
    "taxes.pdf": "tax-certificate",
    "haccp.pdf": "certificate",
}
"""What every firm has brought, by file name, with its kind."""
EVIDENCE_NAMES: Final = {
    "registration": "Тіркелу туралы анықтама",
    "conviction-certificate": "Соттылығы жоқтығы туралы анықтама",
    "contract": "Тамақтандыру шарты",
    "tax-certificate": "Салық туралы анықтама",
    "certificate": "HACCP сертификаты",
}


@dataclass(frozen=True, slots=True)
class Firm:
    """A supplier as the demo invents it. ``years`` of experience and ``grade`` of its cooks make its points."""

    names: tuple[str, str, str]
    number: str
    address: str
    years: int
    grade: int
    under_percent: int
    """How far under the ceiling it bids."""


@dataclass(slots=True)
class Bidder:
    """A supplier with somebody who acts for it, and the papers that it puts into every bid."""

    firm: Firm
    id: UUID
    actor: Actor
    papers: dict[str, bytes] = field(default_factory=dict)
    """By file name."""
    experience: list[NewExperience] = field(default_factory=list)
    taxes: list[NewTax] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed bid as its bidder has it: the manifest, and the sealed file of its one envelope."""

    id: UUID
    manifest: bytes
    file: bytes
    envelope: str


def number_of(first_eleven: str) -> str:
    """The number that has these digits; they are chosen so that there is one."""
    last = check_digit(first_eleven)
    assert last is not None, f"no number begins with {first_eleven}"
    return f"{first_eleven}{last}"


FIRMS: Final = (
    Firm(
        ("«Дастарқан» ЖШС", "ТОО «Дастаркан»", "Dastarkhan LLP"),
        number_of("15044001234"),
        "Астана, Абай даңғылы 12",
        years=6,
        grade=5,
        under_percent=4,
    ),
    Firm(
        ("«Ас болсын» ЖШС", "ТОО «Ас болсын»", "As Bolsyn LLP"),
        number_of("18024002345"),
        "Астана, Сарыарқа көшесі 31",
        years=3,
        grade=4,
        under_percent=7,
    ),
    Firm(
        ("«Балалар асы» ЖШС", "ТОО «Детское питание»", "Balalar Asy LLP"),
        number_of("19074003456"),
        "Астана, Қабанбай батыр даңғылы 8",
        years=2,
        grade=4,
        under_percent=2,
    ),
)


def paper(title: str) -> bytes:
    """A PDF of one page that says, in Latin letters, what it would be."""
    shown = title.replace("(", "").replace(")", "").encode("ascii", "replace")
    stream = b"BT /F1 16 Tf 60 760 Td (" + shown + b") Tj 0 -28 Td /F1 11 Tf (Invented for the demo city.) Tj ET"
    fonts = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources " + fonts + b" >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + tail


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def register(site: Site, firm: Firm, place: int, *, known: tuple[UUID, Actor] | None, key: bytes) -> None:
    """Register a firm, or describe the one that is ``known`` already, and let it bring its papers."""
    at = site.now - timedelta(days=300)
    surname, given_name = new_family(chance_of("firm", place)).parent(is_mother=False).split(" ", 1)
    details = SupplierDetails(
        addresses=(firm.address,),
        phones=(f"+7 717 2{place}0 00 1{place}",),
        email=f"office.{place}@suppliers.example",
        people=(PersonLine(part="head", surname=surname, given_name=given_name),),
        founders=(number_of(f"8{place}0101300{place}1"),),
    )
    if known is None:
        known = _newcomer(site, firm, place, f"{surname} {given_name}", details, at)
    else:
        with site.deed(known[1], at) as work:
            suppliers.change_supplier(work, known[0], details)
    _bring_papers(site, bidder_of(firm, *known, year=at.year), at + timedelta(hours=1), key)


def bidder_of(firm: Firm, id: UUID, actor: Actor, *, year: int) -> Bidder:
    """A registered firm with the papers that it has brought, the same every time."""
    papers = {name: paper(f"{kind} of {firm.names[2]}") for name, kind in PAPERS.items()}
    experience = NewExperience(
        customer="Жеке балабақша / Частный детский сад",
        public=False,
        subject="Балаларды тамақтандыру / Питание детей",
        starts_on=date(year - firm.years, 1, 8),
        ends_on=date(year, 1, 7),
        evidence=(digest(papers["contract.pdf"]),),
    )
    proof = (digest(papers["taxes.pdf"]),)
    taxes = [NewTax(year=one, region=REGION, evidence=proof) for one in (year - 2, year - 1)]
    return Bidder(firm, id, actor, papers, [experience], taxes)


def _newcomer(
    site: Site, firm: Firm, place: int, name: str, details: SupplierDetails, at: datetime
) -> tuple[UUID, Actor]:
    with site.deed(SYSTEM, at) as work:
        person_id = identity.new_person(work, name=name, email=f"director.{place}@suppliers.example", language="kk")
    kk, ru, en = firm.names
    new = NewSupplier(
        name_kk=kk,
        name_ru=ru,
        name_en=en,
        scheme="KZ-BIN",
        number=firm.number,
        details=details,
        position="Директор",
        basis="Жарғы / Устав",
    )
    with site.deed(person(person_id, []), at) as work:
        id = suppliers.register_supplier(work, new)
    return id, person(person_id, [Grant(Role.SUPPLIER, id)])


def _bring_papers(site: Site, bidder: Bidder, at: datetime, key: bytes) -> None:
    """The papers that prove who it is, what it has done and paid; and the ledger that rests on them."""
    with site.deed(bidder.actor, at) as work:
        for name, kind in PAPERS.items():
            title = EVIDENCE_NAMES[kind]
            suppliers.add_evidence(
                work, bidder.id, bidder.papers[name], kind=kind, title=title, file_name=name, key=key
            )
        for done in bidder.experience:
            ledger.add_experience(work, bidder.id, done)
        for tax in bidder.taxes:
            ledger.add_tax(work, bidder.id, tax)


def hire(
    site: Site, bidder: Bidder, story: str, at: datetime, *, key: bytes, people_key: bytes
) -> list[dict[str, Any]]:
    """People for one bid: put into the ledger with their diplomas. Nobody is offered twice. Gives the bid's lines."""
    chance = chance_of("staff of", bidder.firm.number, story)
    lines: list[dict[str, Any]] = []
    with site.deed(bidder.actor, at) as work:
        for post in POSTS:
            for place in range(int(str(post["count"]))):
                code = str(post["post"])
                name = new_family(chance).parent(is_mother=bool(chance.randrange(3)))
                number = f"{chance.randrange(70, 99)}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}4"
                number += f"{chance.randrange(10_000):04}{place}"
                content = paper(f"Diploma {code} {number}")
                file_name = f"diploma-{code}-{place + 1}.pdf"
                bidder.papers[f"{story}/{file_name}"] = content
                title = f"Диплом: {name}"
                sha256 = suppliers.add_evidence(
                    work, bidder.id, content, kind="diploma", title=title, file_name=file_name, key=key
                )
                new = NewStaff(
                    person_key=person_key(people_key, IIN, number),
                    name=name,
                    post=code,
                    education="college",
                    fte_percent=100,
                    started_on=work.today - timedelta(days=100),
                    grade=max(bidder.firm.grade, int(str(post.get("grade", 1)))) if "cook" in code else None,
                    evidence=(sha256,),
                )
                staff_id = ledger.add_staff(work, bidder.id, new)
                lines.append(_staff_line(staff_id, new))
    return lines


def _staff_line(staff_id: UUID, new: NewStaff) -> dict[str, Any]:
    said = asdict(new)
    del said["started_on"]
    return {"staff_id": str(staff_id), **said, "evidence": list(new.evidence)}


def content_of(
    bidder: Bidder, tender_id: UUID, lot_id: UUID, staff: list[dict[str, Any]], prices: Mapping[UUID, int]
) -> dict[str, Any]:
    """What a bid says."""
    proofs = {"legal-capacity": "registration.pdf", "no-conviction": "no-conviction.pdf", "food-safety": "haccp.pdf"}
    return {
        "format": FORMAT,
        "envelope": "qualification",
        "tender_id": str(tender_id),
        "lot_id": str(lot_id),
        "tenderer": {
            "organisation_id": str(bidder.id),
            "name": bidder.firm.names[0],
            "scheme": "KZ-BIN",
            "identifier": bidder.firm.number,
        },
        "declared": ["no-relatives"],
        "staff": staff,
        "equipment": [],
        "experience": [_dated(asdict(one)) for one in bidder.experience],
        "taxes": [{**asdict(one), "evidence": list(one.evidence)} for one in bidder.taxes],
        "evidence": [
            {"for": code, "file": name, "sha256": digest(bidder.papers[name])} for code, name in proofs.items()
        ],
        "menu_note": "Маусымдық көкөніс пен жергілікті ет. / Сезонные овощи и местное мясо.",
        "prices": [{"lot_item_id": str(id), "price_minor": price} for id, price in prices.items()],
        "currency": "KZT",
    }


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    days = {name: row[name].isoformat() for name in ("starts_on", "ends_on")}
    return {**row, **days, "evidence": list(row["evidence"])}


def seal(bidder: Bidder, keys: KeySet, lot_id: UUID, content: dict[str, Any], story: str, at: datetime) -> Sealed:
    """Seal a bid to the commission, as the bidder's browser does."""
    out = io.BytesIO()

    def put(_name: str) -> IO[bytes]:
        return out

    files = [SourceFile.of_bytes("bid.json", "application/json", json.dumps(content, ensure_ascii=False).encode())]
    for name, paper_bytes in bidder.papers.items():
        if "/" not in name or name.startswith(f"{story}/"):
            files.append(SourceFile.of_bytes(name.rpartition("/")[2], "application/pdf", paper_bytes))
    bid_id, envelope = new_id(at), "qualification"
    made = seal_bid(
        keys,
        published_keys(keys),
        {envelope: files},
        put,
        bid_id=str(bid_id),
        bidder=str(bidder.id),
        lot_ids=[str(lot_id)],
    )
    assert Manifest.from_bytes(made.manifest).bid.bid_id == str(bid_id)
    return Sealed(bid_id, made.manifest, out.getvalue(), envelope)
