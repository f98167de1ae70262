"""What a member and a tenderer have in common, found by comparing what is known of both. A hit is a question, not a
verdict: the member answers it by a declaration, or gives up the seat.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class HitKind(StrEnum):
    """What is the same on both sides."""

    ADDRESS = "address"
    PHONE = "phone"
    NAME = "surname-and-patronymic"
    EMPLOYER = "employer"
    FOUNDER = "founder"


@dataclass(frozen=True, slots=True)
class PersonTraits:
    """What is known of a person: a member, or somebody behind a tenderer."""

    surname: str
    patronymic: str = ""
    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberTraits:
    """A member, with whoever employs them and what they have founded, by identifiers."""

    person: PersonTraits
    employers: frozenset[str] = frozenset()
    founded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TendererTraits:
    """A tenderer: its own identifier, address and phones, and the people behind it (heads, founders, signatories)."""

    identifier: str
    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    people: tuple[PersonTraits, ...] = ()
    founders: frozenset[str] = frozenset()
    """Identifiers of organisations that have founded it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing in common. ``what`` is it, as the tenderer's side writes it."""

    kind: HitKind
    what: str


def hits(member: MemberTraits, tenderer: TendererTraits) -> list[Hit]:
    """Everything that both have in common, in a fixed order."""
    addresses = [*tenderer.addresses, *(address for one in tenderer.people for address in one.addresses)]
    phones = [*tenderer.phones, *(phone for one in tenderer.people for phone in one.phones)]
    found = [
        *(Hit(HitKind.ADDRESS, address) for address in _same(addresses, member.person.addresses, address_key)),
        *(Hit(HitKind.PHONE, phone) for phone in _same(phones, member.person.phones, phone_key)),
        *(
            Hit(HitKind.NAME, f"{one.surname} {one.patronymic}")
            for one in tenderer.people
            if is_kin(member.person, one)
        ),
    ]
    if tenderer.identifier in member.employers:
        found.append(Hit(HitKind.EMPLOYER, tenderer.identifier))
    owned = {tenderer.identifier, *tenderer.founders}
    found += [Hit(HitKind.FOUNDER, identifier) for identifier in sorted(owned & member.founded)]
    return sorted(set(found), key=lambda hit: (list(HitKind).index(hit.kind), hit.what))


def is_kin(one: PersonTraits, other: PersonTraits) -> bool:
    """Whether two people bear the same surname and patronymic, as brothers and sisters do; endings by gender aside."""
    same_surname = surname_key(one.surname) == surname_key(other.surname) != ""
    return same_surname and patronymic_key(one.patronymic) == patronymic_key(other.patronymic) != ""


def surname_key(surname: str) -> str:
    """A surname without what tells a man's from a woman's: «Ахметов» and «Ахметова» are one."""
    return _FEMALE_SURNAME.sub(lambda found: found[1], plain(surname))


def patronymic_key(patronymic: str) -> str:
    """A patronymic without its ending: «Серікұлы», «Серікқызы», «Серикович» and «Сериковна» have the same father."""
    return _PATRONYMIC_ENDING.sub("", plain(patronymic).replace("і", "и"))


def phone_key(phone: str) -> str:
    """The last ten digits: however the country is written, the number is the same."""
    digits = re.sub(r"\D", "", phone)
    return digits[-10:] if len(digits) >= 10 else ""


def address_key(address: str) -> str:
    """An address without the words that everybody writes differently."""
    words = re.findall(r"\w+", plain(address))
    return " ".join(word for word in words if word not in _ADDRESS_WORDS)


def plain(text: str) -> str:
    """Lower case, one space, no accents of typing: «Ё» is «Е»."""
    folded = unicodedata.normalize("NFC", text).casefold().replace("ё", "е")
    return " ".join(folded.split())


def _same(theirs: Iterable[str], ours: Iterable[str], key: Callable[[str], str]) -> list[str]:
    known = {key(one) for one in ours} - {""}
    return [one for one in theirs if key(one) in known]


_FEMALE_SURNAME: Final = re.compile(r"(ов|ев|ин|ск|цк)(?:а|ая|ий|ой|ый)$")
_PATRONYMIC_ENDING: Final = re.compile(r"\s*(?:ұлы|улы|қызы|кызы|ович|евич|овна|евна|ич|ична|инична)$")
_ADDRESS_WORDS: Final = frozenset(
    {"г", "город", "қ", "қаласы", "ул", "улица", "көш", "көшесі", "д", "дом", "к", "кв", "үй", "пәт", "пәтер", "офис"}
    | {"пр", "проспект", "даңғылы", "мкр", "микрорайон", "ықшамаудан"}
)
