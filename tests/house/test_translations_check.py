"""``script/translations check`` sees every kind of fault; that the catalogues have none is what script/test asks it."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from babel.messages import Catalog

SCRIPT = Path(__file__).resolve().parents[2] / "script" / "translations.py"


@pytest.fixture(scope="module")
def translations() -> Any:
    spec = importlib.util.spec_from_file_location("translations_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def catalogue(**texts: str) -> Catalog:
    made = Catalog(locale="ru")
    for identity, text in texts.items():
        made.add(identity.replace("_", " "), text)
    return made


@pytest.mark.parametrize(
    ("translated", "fault"),
    [
        (catalogue(Top_up="Пополнить"), []),
        (catalogue(), ['missing: "Top up"']),
        (catalogue(Top_up=""), ['missing: "Top up"']),
        (catalogue(Top_up="Пополнить %(sum)s"), ['other placeholders: "Top up"']),
        (catalogue(Top_up="Пополнить", Gone="Ушло"), ['left over: "Gone"']),
    ],
)
def test_a_fault_is_named(translations: Any, translated: Catalog, fault: list[str]) -> None:
    assert list(translations.faults_of(catalogue(Top_up=""), translated)) == fault


def test_a_guessed_text_is_a_fault(translations: Any) -> None:
    guessed = Catalog(locale="ru")
    guessed.add("Top up", "Пополнить", flags=["fuzzy"])

    assert list(translations.faults_of(catalogue(Top_up=""), guessed)) == ['fuzzy: "Top up"']


def test_every_plural_form_is_asked_for(translations: Any) -> None:
    wanted, half, whole = Catalog(locale="ru"), Catalog(locale="ru"), Catalog(locale="ru")
    text = ("%(num)d meal", "%(num)d meals")
    wanted.add(text)
    half.add(text, ("%(num)d обед", "%(num)d обеда", ""))
    whole.add(text, ("%(num)d обед", "%(num)d обеда", "%(num)d обедов"))

    assert list(translations.faults_of(wanted, half)) == ['missing: "%(num)d meal"']
    assert list(translations.faults_of(wanted, whole)) == []


def test_placeholders_of_every_kind_are_compared(translations: Any) -> None:
    text = 'Dear %(name)s, see <a href="/x">{count}</a> or %s'

    assert translations.placeholders(text) == ["%(name)s", "%s", "</a>", '<a href="/x">', "{count}"]


def test_a_room_keeps_its_texts_and_the_roof_leaves_them_to_the_frame(translations: Any) -> None:
    assert translations.room_of("wallet/actions.py") == "wallet"
    assert translations.room_of("canteen/templates/canteen/till.html") == "canteen"
    assert translations.room_of("errors.py") == "web"
    assert translations.room_of("embedded/server.py") == "web"
