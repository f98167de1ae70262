"""One word for one thing: every room's catalogue obeys docs/glossary.csv, and all rooms translate a text alike."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from schoolmeals.app import ROOMS

ROOT = Path(__file__).parents[2]
LANGUAGES = ("kk", "ru")


@dataclass(frozen=True, slots=True)
class Text:
    """One translated text: where it stands, its English id and its translation (all plural forms)."""

    room: str
    language: str
    msgid: str
    translation: tuple[str, ...]


def test_the_glossary_is_complete_and_names_each_thing_once() -> None:
    rows = glossary_rows()
    assert len(rows) >= 120
    assert [row for row in rows if not all(row[column].strip() for column in ("term_en", *LANGUAGES))] == []
    terms = [row["term_en"].casefold() for row in rows]
    assert sorted(terms) == sorted(set(terms))


def test_catalogues_obey_the_glossary() -> None:
    assert against_the_glossary(glossary(), catalogues()) == []


def test_all_rooms_translate_the_same_text_in_the_same_way() -> None:
    assert translated_differently(catalogues()) == []


def test_every_catalogue_is_among_those_that_the_app_reads() -> None:
    assert {text.room for text in catalogues()} <= set(ROOMS)


@pytest.mark.parametrize("msgid", ["Balance", "balance"])
def test_a_planted_other_word_is_found(msgid: str) -> None:
    words = {"balance": {"kk": "қалдық", "ru": "остаток"}}
    right = Text("wallet", "kk", msgid, ("Қалдық",))
    wrong = Text("wallet", "ru", msgid, ("Баланс",))
    other = Text("wallet", "ru", "Balance of the school", ("Баланс школы",))
    assert against_the_glossary(words, [right, wrong, other]) == [f"wallet/ru: {msgid!r} is 'Баланс', not 'остаток'"]


def test_a_planted_difference_between_rooms_is_found() -> None:
    texts = [
        Text("web", "kk", "Back", ("Артқа",)),
        Text("parents", "kk", "Back", ("Кері",)),
        Text("parents", "ru", "Back", ("Назад",)),
    ]
    assert translated_differently(texts) == ["kk: 'Back' is 'Артқа' in web, but 'Кері' in parents"]


def glossary_rows() -> list[dict[str, str]]:
    with (ROOT / "docs" / "glossary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def glossary() -> dict[str, Mapping[str, str]]:
    return {row["term_en"].casefold(): row for row in glossary_rows()}


def catalogues() -> list[Text]:
    found = []
    for path in sorted((ROOT / "schoolmeals").glob("*/translations/*/LC_MESSAGES/messages.po")):
        language, room = path.parents[1].name, path.parents[3].name
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    english, spoken = message.id, message.string
                    msgid = english if isinstance(english, str) else english[0]
                    forms = (spoken,) if isinstance(spoken, str) else tuple(spoken or ("",))
                    found.append(Text(room, language, msgid, forms))
    assert found, "no catalogue was found"
    return found


def against_the_glossary(words: Mapping[str, Mapping[str, str]], texts: Iterable[Text]) -> list[str]:
    """What stands in a catalogue for a term of the glossary, but is another word. Capitals do not count."""
    return [
        f"{text.room}/{text.language}: {text.msgid!r} is {text.translation[0]!r}, not {due!r}"
        for text in texts
        if (row := words.get(text.msgid.casefold())) is not None
        and text.translation[0].casefold() != (due := row[text.language]).casefold()
    ]


def translated_differently(texts: Iterable[Text]) -> list[str]:
    first: dict[tuple[str, str], Text] = {}
    problems = []
    for text in texts:
        known = first.setdefault((text.language, text.msgid), text)
        if known.translation != text.translation:
            problems.append(
                f"{text.language}: {text.msgid!r} is {known.translation[0]!r} in {known.room}, "
                f"but {text.translation[0]!r} in {text.room}"
            )
    return problems
