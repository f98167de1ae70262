"""The CSV of a meal history, byte by byte."""

import csv
import io
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import force_locale

from schoolmeals.parents.meal_list import meal_csv
from tests.factories.parents import item, meal

ALMATY = ZoneInfo("Asia/Almaty")
MONDAY = date(2026, 11, 23)
RECEIPT = UUID("01936000-0000-7000-8000-000000000001")


def csv_in(app: Flask, language: str, *meals: object) -> str:
    with app.test_request_context("/", headers={"Accept-Language": language}), force_locale(language):
        return meal_csv(meals, ALMATY)  # type: ignore[arg-type]


def test_a_history_as_csv_in_kazakh(app: Flask) -> None:
    lunch = meal(MONDAY, 850_50, sale_id=RECEIPT, money_minor=500_00, grace_minor=350_50)
    assert csv_in(app, "kk", lunch) == (
        "\ufeffКүн;Уақыты;Тамақ;Не алды;Касса;Күйі;"
        "Сома;Әмияннан;Кейін төленеді;Мектептің қолдау қоры;Валюта;Түбіртек\r\n"
        "2026-11-23;12:05;Түскі ас;Палау;1-касса;Берілді;850,50;500,00;350,50;0,00;KZT;00000 00001\r\n"
    )


def test_what_was_refused_or_taken_back_says_so(app: Flask) -> None:
    bun = item(250_00, is_set_meal=False, quantity=2, name_en='Bun "big"; hot')
    refused = meal(MONDAY, 500_00, items=(bun,), code="F70", money_minor=0, sale_id=RECEIPT)
    undone = meal(MONDAY, undone_at=datetime(2026, 11, 23, 7, 9, tzinfo=UTC), sale_id=RECEIPT)
    head, first, second, end = csv_in(app, "en", refused, undone).split("\r\n")
    assert head.split(";")[5] == "State"
    assert first == (
        '2026-11-23;12:05;Buffet;"Bun ""big""; hot × 2";Till 1;There was not enough money for the buffet;'
        "500,00;0,00;0,00;0,00;KZT;00000 00001"
    )
    assert second == "2026-11-23;12:05;Lunch;Pilaf;Till 1;Taken back;850,00;850,00;0,00;0,00;KZT;00000 00001"
    assert end == ""


@pytest.mark.parametrize("cell", ["=1+1", "+7", "-1", "@A1", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(app: Flask, cell: str) -> None:
    (line,) = list(csv.reader(io.StringIO(csv_in(app, "en", meal(MONDAY, till=cell))), delimiter=";"))[1:]
    assert line[4] == f"'{cell}"
