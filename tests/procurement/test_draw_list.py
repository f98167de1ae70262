"""Every draw is public for good, also where its tender was thrown away: nobody draws until a commission pleases."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.actors import PUBLIC
from schoolmeals.procurement.actions import draws
from schoolmeals.procurement.models import Tender
from schoolmeals.procurement.queries import draws as draw_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.draws import DrawCount, DrawLine
from schoolmeals.procurement.rules.draw import Fate
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.procurement import SEED, TITLE, Procurement, rates_of


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def announced(world: Procurement) -> UUID:
    """A draft with a draw that is only announced."""
    tender_id = world.bare_draft()
    world.do(draws.announce_draw, tender_id, rates_of(world.clock() + timedelta(minutes=1)))
    return tender_id


def listed(world: Procurement, **how: Any) -> tuple[DrawLine, ...]:
    lines: tuple[DrawLine, ...] = world.look(draw_queries.draws, actor=PUBLIC, **how).lines
    return lines


def counted(world: Procurement) -> list[DrawCount]:
    found: list[DrawCount] = world.look(draw_queries.draw_counts, actor=PUBLIC)
    return found


def act_of_draw(world: Procurement, tender_id: UUID) -> UUID:
    acts = world.look(tender_queries.acts, tender_id)
    found: UUID = next(one.id for one in reversed(acts) if one.kind == "draw-announced")
    return found


def test_a_draw_is_listed_from_its_announcement_on(world: Procurement) -> None:
    assert listed(world) == ()
    assert counted(world) == []
    tender_id = announced(world)
    (line,) = listed(world)
    assert (line.id, line.organiser_id) == (act_of_draw(world, tender_id), world.city_id)
    assert (line.seed_source, line.seed, line.drawn_at) == ("Rates of the National Bank", None, None)
    assert line.fate is Fate.PREPARED
    assert counted(world) == [DrawCount(world.city_id, announced=1, drawn=0, published=0, left=0)]
    world.clock.move(timedelta(minutes=2))
    world.do(draws.draw_members, tender_id, SEED)
    (line,) = listed(world)
    assert (line.seed, line.drawn_at) == (SEED, world.clock())
    assert (line.tender_id, line.number, line.stage) == (None, None, None)


def test_what_was_never_published_stays_and_is_counted(world: Procurement) -> None:
    """An officer who starts anew until the draw pleases leaves a trail that everybody counts."""
    for _ in range(3):
        world.draw_by_lot(world.bare_draft())
    announced(world)
    world.clock.move(timedelta(minutes=1))
    kept = world.tender_in(TenderStage.DISCUSSION)
    assert counted(world) == [DrawCount(world.city_id, announced=5, drawn=4, published=1, left=0)]
    world.clock.move(timedelta(days=61))
    (count,) = counted(world)
    assert (count.left, count.published, count.prepared) == (4, 1, 0)
    fates = [line.fate for line in listed(world)]
    assert fates == [Fate.PUBLISHED, *[Fate.LEFT] * 4]
    newest = listed(world)[0]
    assert (newest.tender_id, newest.number) == (kept, "2026-0001")
    assert newest.seed == SEED


def test_nothing_else_of_a_draft_is_told(world: Procurement, client: FlaskClient) -> None:
    tender_id = world.draft()
    for path in ("/draws", "/draws.json"):
        for language in ("kk", "ru", "en"):
            shown = client.get(path, headers={"Accept-Language": language}).get_data(as_text=True)
            assert str(act_of_draw(world, tender_id)) in shown
            for secret in (str(tender_id), *TITLE.values()):
                assert secret not in shown


def test_the_page_leads_to_each_draw_and_to_published_tenders(world: Procurement, client: FlaskClient) -> None:
    draft_id = announced(world)
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    headers = {"Accept-Language": "en"}
    shown = client.get("/draws", headers=headers).get_data(as_text=True)
    for each in (draft_id, tender_id):
        assert f'href="/draws/{act_of_draw(world, each)}"' in shown
    assert f'href="/tenders/{tender_id}"' in shown
    assert "Tender No. 2026-0001" in shown
    assert "but nothing was drawn by it." in shown
    assert "2 draws" in shown
    for page in ("/tenders", f"/draws/{act_of_draw(world, tender_id)}"):
        assert 'href="/draws"' in client.get(page).get_data(as_text=True)


def test_one_buyer_and_what_no_link_asks_for(world: Procurement, client: FlaskClient) -> None:
    announced(world)
    assert len(listed(world, organiser_id=world.city_id)) == 1
    assert listed(world, organiser_id=world.school_id) == ()
    assert client.get(f"/draws?buyer={world.city_id}").status_code == 200
    for wrong in ("buyer=x", "page=0", "page=x", "page=10001"):
        assert client.get(f"/draws?{wrong}").status_code == 404
        assert client.get(f"/draws.json?{wrong}").status_code == 404


def test_the_list_comes_in_pages(world: Procurement, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_queries, "PAGE", 2)
    expected: list[UUID] = []
    for _ in range(3):
        expected.insert(0, act_of_draw(world, announced(world)))
        world.clock.move(timedelta(minutes=1))
    found = client.get("/draws.json").get_json()
    assert found["total"] == 3
    assert found["next"] == "http://localhost/draws.json?page=2"
    last = client.get("/draws.json?page=2").get_json()
    assert last["next"] is None
    assert [one["id"] for one in found["draws"] + last["draws"]] == [str(one) for one in expected]


def test_the_same_for_machines(world: Procurement, client: FlaskClient) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    answer = client.get("/draws.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found = answer.get_json()
    (one,) = found["draws"]
    assert one["url"] == f"http://localhost/draws/{act_of_draw(world, tender_id)}"
    assert (one["seed"], one["outcome"]) == (SEED, "published")
    assert one["tender"] == {
        "number": "2026-0001",
        "stage": "discussion",
        "url": f"http://localhost/tenders/{tender_id}",
    }
    (buyer,) = found["buyers"]
    numbers = ("draws", "drawn", "published", "in_preparation", "left_unpublished")
    assert [buyer[name] for name in numbers] == [1, 1, 1, 0, 0]


def test_a_list_of_published_tenders_alone_is_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: draws of drafts are left out, so a draft can be thrown away unseen."""
    announced(world)
    assert len(listed(world)) == 1
    of_all = draw_queries._of

    def of_published(wanted: Any, *columns: Any) -> Any:
        return of_all(wanted, *columns).where(Tender.published_at.is_not(None))

    monkeypatch.setattr(draw_queries, "_of", of_published)
    assert listed(world) == ()
