"""Letters about tenders: confirmed from a letter, one for each public act, ended with one click."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from schoolmeals.actors import PUBLIC, SYSTEM
from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.mail import Letter, Words, words_of
from schoolmeals.procurement import telling
from schoolmeals.procurement.actions import enquiries, subscriptions
from schoolmeals.procurement.actions.subscriptions import NewsKeys
from schoolmeals.procurement.models import Subscription
from schoolmeals.procurement.queries import tenders as queries
from schoolmeals.procurement.queries.subscriptions import subscription_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.enquiries import NewEnquiry
from schoolmeals.procurement.rules.news import NewSubscription, finds, is_told
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.telling import forget_old_subscriptions, tell_subscribers
from tests.canteen.pages import send
from tests.factories.procurement import TITLE, Procurement

EMAIL = "Aigul@Example.kz"
PLACE = "192.0.2.7"


@pytest.fixture
def keys(app: Flask) -> NewsKeys:
    """The installation's own."""
    settings = app.extensions["schoolmeals"].settings
    return NewsKeys.of(settings.secret_key, settings.base_url)


def letters(world: Procurement, keys: NewsKeys) -> list[Words]:
    def look(work: Work) -> list[Words]:
        rows = work.session.scalars(select(Letter).order_by(Letter.promised_at, Letter.id))
        return [words_of(one, keys.letters) for one in rows]

    found: list[Words] = world.look(look, actor=SYSTEM)
    return found


def asks(world: Procurement, keys: NewsKeys, **wanted: Any) -> str:
    """Somebody asks for letters; the token of the letter's link."""
    given = {"email": EMAIL, "language": "ru", **wanted}
    before = letters(world, keys)
    world.do(subscriptions.subscribe, NewSubscription(**given), keys=keys, address=PLACE, about="x", actor=PUBLIC)
    (letter,) = [one for one in letters(world, keys) if one not in before]
    found = re.search(r"/subscriptions/([\w-]+)$", letter.params["address"])
    assert found is not None
    return found[1]


def follows(world: Procurement, keys: NewsKeys, **wanted: Any) -> str:
    token = asks(world, keys, **wanted)
    world.do(subscriptions.confirm_subscription, token, actor=PUBLIC)
    return token


def last_act(world: Procurement, tender_id: UUID) -> str:
    return str(world.look(queries.acts, tender_id, actor=SYSTEM)[-1].id)


def asked(world: Procurement, tender_id: UUID) -> str:
    """Something public happens to the tender; the act's id."""
    enquiry = NewEnquiry(id=new_id(world.clock()), kind="question", text="When?", language="en")
    world.do(enquiries.ask_enquiry, tender_id, enquiry, actor=world.supplier)
    return last_act(world, tender_id)


def test_letters_begin_with_a_confirmation_and_end_with_one_click(world: Procurement, keys: NewsKeys) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    token = asks(world, keys, tender_id=tender_id)
    act = asked(world, tender_id)
    tell_subscribers(act)
    assert len(letters(world, keys)) == 1, "nobody is written to before they confirmed"
    for _ in range(2):
        world.do(subscriptions.confirm_subscription, token, actor=PUBLIC)
    tell_subscribers(act)
    (news,) = [one for one in letters(world, keys) if "news" in one.params]
    assert (news.to, news.params["number"], news.params["title"]) == ("aigul@example.kz", "2026-0001", TITLE["ru"])
    assert news.params["news"] != "A question was asked", "in the reader's language"
    assert news.params["end"].endswith(f"/tenders/subscriptions/{token}")
    for _ in range(2):
        world.do(subscriptions.unsubscribe, token, actor=PUBLIC)
    tell_subscribers(act)
    assert len(letters(world, keys)) == 2


def test_a_public_act_promises_its_letters_and_a_hidden_one_does_not(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    act = asked(world, tender_id)

    def promised(work: Work) -> list[str]:
        rows = work.session.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id"))
        return [row.args["act_id"] for row in rows if row.task_name == "procurement.tell_subscribers"]

    jobs = world.look(promised, actor=SYSTEM)
    kinds = {str(one.id): one.kind for one in world.look(queries.acts, tender_id, actor=SYSTEM)}
    assert [kinds[one] for one in jobs] == [ActKind.PUBLISHED, ActKind.ENQUIRY_ASKED]
    assert jobs[-1] == act
    assert not is_told(ActKind.SHARE_GIVEN)
    assert not is_told(ActKind.SUBMITTED_FOR_REVIEW)


def test_a_new_tender_reaches_those_whose_search_finds_it(world: Procurement, keys: NewsKeys) -> None:
    follows(world, keys, text="мектеп 2027", school_id=world.school_id)
    follows(world, keys, email="b@example.kz", school_id=world.other_school_id)
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    before = len(letters(world, keys))
    tell_subscribers(last_act(world, tender_id))
    assert [one.to for one in letters(world, keys) if "news" in one.params] == ["aigul@example.kz"]
    tell_subscribers(asked(world, tender_id))
    assert len(letters(world, keys)) == before + 1, "of new tenders alone"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"text": "meals 2027", "school": None}, True),
        ({"text": "MEALS", "school": str(UUID(int=1))}, True),
        ({"text": "2026-0007", "school": None}, True),
        ({"text": "", "school": str(UUID(int=2))}, False),
        ({"text": "goods", "school": None}, False),
    ],
)
def test_a_search_finds_by_words_and_school(search: dict[str, Any], found: bool) -> None:
    assert finds(search, TITLE, "2026-0007", [UUID(int=1)]) is found


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a@b.kz\nBcc: c@d.kz"])
def test_an_address_must_be_one(world: Procurement, keys: NewsKeys, email: str) -> None:
    with pytest.raises(Invalid) as refused:
        asks(world, keys, email=email)
    assert list(refused.value.fields) == ["email"]
    assert letters(world, keys) == []


def test_a_draft_cannot_be_followed(world: Procurement, keys: NewsKeys) -> None:
    with pytest.raises(NotFound):
        asks(world, keys, tender_id=world.bare_draft())


def test_nobody_is_flooded_with_links(world: Procurement, keys: NewsKeys) -> None:
    wanted = NewSubscription(email=EMAIL, language="kk")
    for _ in range(subscriptions.PER_EMAIL):
        asks(world, keys)
    refused = world.do(subscriptions.subscribe, wanted, keys=keys, address=PLACE, about="x", actor=PUBLIC)
    assert refused.code == "too-many-attempts"
    assert len(letters(world, keys)) == subscriptions.PER_EMAIL


def test_a_link_is_good_for_a_week_and_addresses_are_forgotten(world: Procurement, keys: NewsKeys) -> None:
    late, left = asks(world, keys), follows(world, keys, email="left@example.kz")
    world.do(subscriptions.unsubscribe, left, actor=PUBLIC)
    world.clock.move(timedelta(days=7, seconds=1))
    with pytest.raises(NotFound):
        world.do(subscriptions.confirm_subscription, late, actor=PUBLIC)
    forget_old_subscriptions()
    emails = select(Subscription.email).order_by(Subscription.email)
    assert world.look(lambda work: work.session.scalars(emails).all(), actor=SYSTEM) == ["", "left@example.kz"]
    world.clock.move(timedelta(days=30))
    forget_old_subscriptions()
    assert world.look(lambda work: work.session.scalars(emails).all(), actor=SYSTEM) == ["", ""]


def test_neither_token_nor_address_is_written_down(world: Procurement, keys: NewsKeys) -> None:
    token = follows(world, keys)
    row = world.look(lambda work: work.session.scalars(select(Subscription)).one(), actor=SYSTEM)
    assert token.encode() not in row.token_hash
    events = world.look(lambda work: work.session.scalars(select(AuditEvent.payload)).all(), actor=SYSTEM)
    assert "example.kz" not in str(events)
    assert token not in str(events)


# Pages


def post(client: FlaskClient, path: str, form: Mapping[str, str]) -> TestResponse:
    return send(client, path, form, shown_at="/tenders")


def test_a_reader_follows_a_tender_and_leaves(world: Procurement, client: FlaskClient, keys: NewsKeys) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    path = f"/tenders/{tender_id}/subscribe"
    assert client.get(path).status_code == 200
    wrong = post(client, path, {"email": "nobody", "language": "kk"})
    assert wrong.status_code == 422
    assert 'href="#f-email"' in wrong.text
    assert post(client, path, {"email": EMAIL, "language": "kk"}).status_code == 200
    (letter,) = letters(world, keys)
    link = letter.params["address"].removeprefix(keys.base_url)
    assert client.get(link).status_code == 200
    rows = select(Subscription.confirmed_at)
    assert world.look(lambda work: work.session.scalars(rows).all(), actor=SYSTEM) == [None], "looking changes nothing"
    assert post(client, link, {"turn": "confirm"}).status_code == 200
    assert world.look(lambda work: work.session.scalars(rows).all(), actor=SYSTEM) == [world.clock()]
    shown = post(client, link, {"turn": "end"})
    assert shown.status_code == 200
    assert client.get("/tenders/subscriptions/nobody").status_code == 404
    assert post(client, link, {"turn": "x"}).status_code == 404
    assert client.get(f"/tenders/{world.bare_draft()}/subscribe").status_code == 404


def test_a_mail_program_ends_letters_by_itself(app: Flask, world: Procurement, keys: NewsKeys) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    token = follows(world, keys, tender_id=tender_id)
    tell_subscribers(asked(world, tender_id))
    (leave,) = [one.leave for one in letters(world, keys) if one.leave]
    assert leave == f"{keys.base_url}/tenders/subscriptions/{token}/end"
    program = app.test_client()
    path = "/" + leave.split("/", 3)[3]
    # Neither a cookie nor a token of a form: a mail program has none.
    assert program.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert world.look(subscription_of, token, actor=SYSTEM).ended_at is not None
    assert program.get(path).status_code == 405, "looking ends nothing"
    assert program.post("/tenders/subscriptions/wrong/end").status_code == 404


def test_a_job_that_runs_again_writes_nobody_a_second_time(world: Procurement, keys: NewsKeys) -> None:
    """The worker died after the letters were promised and before its job was noted as done."""
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    follows(world, keys, tender_id=tender_id)
    act = asked(world, tender_id)
    before = len(letters(world, keys))
    for _ in range(2):
        tell_subscribers(act)
    assert len(letters(world, keys)) == before + 1
    tell_subscribers(asked(world, tender_id))
    assert len(letters(world, keys)) == before + 2, "another act is another letter"


def test_a_second_letter_about_one_act_would_be_found(
    world: Procurement, keys: NewsKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: each run of the job gives its letters ids of its own."""
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    follows(world, keys, tender_id=tender_id)
    act = asked(world, tender_id)
    before = len(letters(world, keys))
    monkeypatch.setattr(telling, "uuid5", lambda *_about: new_id())
    for _ in range(2):
        tell_subscribers(act)
    assert len(letters(world, keys)) == before + 2
