"""An installation whose sealing scripts could not be bundled says so where they are needed."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.database import Work
from schoolmeals.identity.models import Person
from schoolmeals.procurement import bundled
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.identity import signed_in
from tests.factories.procurement import Procurement
from tests.procurement.test_opening_views import browser_of

Room = Callable[[Flask, Procurement], tuple[FlaskClient, str]]


def my_key(app: Flask, world: Procurement) -> tuple[FlaskClient, str]:
    tender_id = world.draft()
    return browser_of(app, world, world.seat(tender_id, "member")), f"/commission/{tender_id}/key"


def bid_room(app: Flask, world: Procurement) -> tuple[FlaskClient, str]:
    tender_id = world.tender_in(TenderStage.BIDDING)
    assert world.supplier.id is not None
    return signed_in(app, world.supplier.id), f"/tenders/{tender_id}/bid"


@pytest.mark.parametrize(
    ("room", "script", "place"),
    [(my_key, "js/member_key.js", '<div id="member-key"'), (bid_room, "js/bid_room.js", '<div id="bid-room"')],
)
def test_rooms_that_need_the_scripts_say_what_is_missing_and_how_to_mend_it(
    room: Room, script: str, place: str, app: Flask, world: Procurement, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "BUILT", tmp_path)
    client, path = room(app, world)
    without = client.get(path).text
    assert "This installation cannot seal yet" in without
    assert "script/bundle" in without
    assert script not in without
    assert f"{place} hidden" in without

    (tmp_path / "stamp").touch()
    with_it = client.get(path).text
    assert "script/bundle" not in with_it
    assert script in with_it
    assert place in with_it
    assert f"{place} hidden" not in with_it


@pytest.mark.parametrize(
    ("language", "title"),
    [("kk", "Бұл жүйеде әзірге мөрлеу мүмкін емес"), ("ru", "Эта установка пока не может запечатывать заявки")],
)
def test_it_is_said_in_the_languages_of_the_country(
    language: str, title: str, app: Flask, world: Procurement, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "BUILT", tmp_path)
    client, path = bid_room(app, world)
    world.do(_speak, world.supplier.id, language)
    shown = client.get(path).text
    assert title in shown
    assert "schoolmeals bid" in shown


def _speak(work: Work, person_id: UUID, language: str) -> None:
    work.session.get_one(Person, person_id).language = language
