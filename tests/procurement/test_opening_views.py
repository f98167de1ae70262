"""The pages of members and of the opening, each by those who may see it; and what a bidder does as the last resort."""

import io
import json
from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from schoolmeals import identity
from schoolmeals.actors import SYSTEM, Role
from schoolmeals.procurement import profiles
from schoolmeals.procurement.actions import commission
from schoolmeals.procurement.models import CiphertextPart, InterestDeclaration, MemberKey, OpenedBid, PoolMember
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries import interests
from schoolmeals.procurement.queries import openings as opening_queries
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import Manifest, new_member_key, open_share, shares
from schoolmeals.procurement.views.members import TO_DO
from tests.canteen.pages import send
from tests.factories.bids import MadeBid, hand_in, upload
from tests.factories.identity import OrganisationFactory, RoleGrantFactory, signed_in
from tests.factories.procurement import Procurement, somebody
from tests.factories.seats import ARMOURED
from tests.house.test_authz import csrf_header
from tests.procurement.sealing.test_crafted import two_secrets
from tests.procurement.test_bidding_opening import start


@pytest.fixture
def tender_id(world: Procurement) -> UUID:
    return world.tender_in(TenderStage.BIDDING)


def browser_of(app: Flask, world: Procurement, seat: SeatFacts) -> FlaskClient:
    """A member's browser."""
    role = Role.COMMISSION_MEMBER.value
    RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=world.city_id)
    return signed_in(app, seat.person_id)


def public(app: Flask) -> FlaskClient:
    """The browser of somebody who watches without signing in."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def post_json(app: Flask, client: FlaskClient, path: str, told: dict[str, Any]) -> Any:
    return client.post(path, json=told, headers=csrf_header(app, client))


def told_by(client: FlaskClient, path: str) -> dict[str, Any]:
    """What a door for scripts answers."""
    told = client.get(path).json
    assert isinstance(told, dict)
    return told


def share_of(world: Procurement, bid: MadeBid, seat: SeatFacts) -> str:
    """What the member's browser posts."""
    share = open_share(Manifest.from_bytes(bid.manifest), "qualification", str(seat.id), world.identities[seat.id])
    return b64encode(share.to_bytes()).decode()


def hand_in_share(app: Flask, world: Procurement, tender_id: UUID, bid: MadeBid, seat: SeatFacts) -> Any:
    path = f"/commission/{tender_id}/opening/shares"
    told = {"shares": [share_of(world, bid, seat)], "unreadable": []}
    return post_json(app, browser_of(app, world, seat), path, told)


def test_a_drawn_member_accepts_and_publishes_a_key(app: Flask, world: Procurement) -> None:
    tender_id = world.drafted()
    world.draw_by_lot(tender_id)
    seat = world.seat(tender_id, "member")
    client = browser_of(app, world, seat)
    assert "Accept or decline the seat" in client.get("/commission").text
    page = f"/commission/{tender_id}"
    assert send(client, f"{page}/answer", {}, shown_at=page).status_code == 422
    assert send(client, f"{page}/answer", {"answer": "accept"}, shown_at=page).status_code == 303
    identity, recipient = new_member_key()
    unwrapped = {"recipient": recipient, "key_file": identity, "passkey": None}
    refused = post_json(app, client, f"{page}/key", unwrapped)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")
    assert world.seat(tender_id, "member").key_public is None
    told = post_json(app, client, f"{page}/key", {**unwrapped, "key_file": ARMOURED})
    assert told.json == {"next": page}
    row: MemberKey = world.look(lambda work: work.session.get_one(MemberKey, seat.id))
    assert (row.recipient, row.key_file, row.passkey_file) == (recipient, ARMOURED, None)
    assert ARMOURED.split()[-1] in client.get(f"{page}/key").text
    # Nobody else gets the file, not even others of the commission.
    other = browser_of(app, world, world.seat(tender_id, "chair"))
    assert row.key_file not in other.get(f"{page}/key").text
    assert signed_in(app, _id(world.editor.id)).get(f"{page}/key").status_code == 403


def test_a_new_key_takes_the_files_of_the_old_one_away(world: Procurement) -> None:
    tender_id = world.draft()
    seat = world.seat(tender_id, "member")
    first, second = new_member_key()[1], new_member_key()[1]
    kept = commission.KeptKey(ARMOURED)
    world.do(commission.publish_key, tender_id, first, kept=kept, actor=world.holder(seat))
    world.do(commission.publish_key, tender_id, second, actor=world.holder(seat))
    row: MemberKey = world.look(lambda work: work.session.get_one(MemberKey, seat.id))
    assert (row.recipient, row.key_file) == (second, "")


def test_whoever_declines_says_why(app: Flask, world: Procurement) -> None:
    tender_id = world.drafted()
    world.draw_by_lot(tender_id)
    seat = world.seat(tender_id, "member")
    client, page = browser_of(app, world, seat), f"/commission/{tender_id}"
    assert send(client, f"{page}/answer", {"answer": "decline"}, shown_at=page).status_code == 422
    sent = send(client, f"{page}/answer", {"answer": "decline", "reason": "I am ill"}, shown_at=page)
    assert sent.headers["Location"] == "/commission"
    assert client.get(page).status_code == 404
    # Whoever left before the publication learns no more of the draft.
    assert "Seat ended" not in client.get("/commission").text


def test_before_the_opening_the_page_tells_no_bid(app: Flask, world: Procurement, tender_id: UUID) -> None:
    hand_in(world, tender_id)
    client = public(app)
    page = client.get(f"/tenders/{tender_id}/opening").text
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=1)
    later = client.get(f"/tenders/{tender_id}/opening").text
    for shown in (page, later):
        assert "Nobody can know before the opening who has bid" in shown
        assert "Shares:" not in shown
    assert world.look(opening_queries.opening, tender_id, actor=SYSTEM).lines == []


def test_a_member_finds_the_way_from_the_own_part_to_the_opening_and_back(
    app: Flask, world: Procurement, tender_id: UUID
) -> None:
    hand_in(world, tender_id)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=31)
    member = browser_of(app, world, world.seat(tender_id, "member"))
    own, shared = f"/commission/{tender_id}/opening", f"/tenders/{tender_id}/opening"
    assert "Begin the opening" in member.get(own).text
    assert f'href="{own}"' not in member.get(shared).text
    send(member, f"{shared}/start", {}, shown_at=own)
    assert "Begin the opening" not in member.get(own).text
    page = member.get(shared).text
    assert f'href="{own}"' in page
    # A bid in one envelope is whole in it.
    assert "Envelope with the whole bid" in page
    assert f'href="{own}"' not in public(app).get(shared).text


def test_members_open_and_everybody_follows(app: Flask, world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    seats = voters(world.seats(tender_id))
    watching = public(app)
    version = f"/tenders/{tender_id}/opening/version"
    tokens = [told_by(watching, version)]
    for nth, seat in enumerate(seats[:2], start=1):
        assert hand_in_share(app, world, tender_id, bid, seat).json["faults"] == []
        tokens.append(told_by(watching, version))
        page = watching.get(f"/tenders/{tender_id}/opening").text
        assert f"Shares: {nth} of 3" in page
        assert f"{seat.name} opened the own shares" in page
    # A box that does not open is told with its member, and keeps nobody.
    path = f"/commission/{tender_id}/opening/shares"
    closed = {"shares": [], "unreadable": [{"bid_id": str(bid.id), "envelope": "qualification"}]}
    told = post_json(app, browser_of(app, world, seats[2]), path, closed)
    assert told.json["faults"] == [{"code": "share-unreadable", "envelope": "qualification"}]
    page = watching.get(f"/tenders/{tender_id}/opening").text
    assert f"{seats[2].name}: the member could not open the share" in page
    hand_in_share(app, world, tender_id, bid, seats[3])
    page = watching.get(f"/tenders/{tender_id}/opening").text
    assert "Digest of the content:" in page
    tokens.append(told_by(watching, version))
    assert len({one["token"] for one in tokens}) == len(tokens)
    member = browser_of(app, world, seats[4])
    at = f"/tenders/{tender_id}/opening"
    assert send(member, f"{at}/finish", {}, shown_at=at).status_code == 303
    assert world.stage(tender_id) is TenderStage.ADMISSION
    assert "/protocols/" in watching.get(at).text


def test_the_list_of_commissions_tells_what_is_still_to_do(app: Flask, world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    seats = voters(world.seats(tender_id))
    browsers = [browser_of(app, world, seat) for seat in seats]

    def told(place: int) -> list[str]:
        page = browsers[place].get("/commission", headers={"Accept-Language": "en"}).text
        return [text for text, _ in TO_DO.values() if text in page]

    def open_share_of(place: int) -> None:
        posted = {"shares": [share_of(world, bid, seats[place])], "unreadable": []}
        assert post_json(app, browsers[place], f"/commission/{tender_id}/opening/shares", posted).json["faults"] == []

    assert told(0) == ["Open your shares now"]
    open_share_of(0)
    assert (told(0), told(1)) == (["You have opened your shares"], ["Open your shares now"])
    open_share_of(1)
    open_share_of(2)
    at = f"/tenders/{tender_id}/opening"
    assert send(browsers[4], f"{at}/finish", {}, shown_at=at).status_code == 303
    assert (told(0), told(1)) == (["Declare your interests"], ["Declare your interests"])
    none: dict[str, Any] = {"has_interest": False, "nature": "none"}
    world.do(commission.declare_interest, tender_id, world.supplier_id, **none, actor=world.holder(seats[1]))
    assert (told(0), told(1)) == (["Declare your interests"], ["The commission is at work"])


def test_crafted_shares_and_a_swapped_file_are_named_to_everybody(
    app: Flask, world: Procurement, tender_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shares, "split", two_secrets)
        crafted = hand_in(world, tender_id)
    other = OrganisationFactory.create(kind="supplier").id
    world.supplier = somebody(Role.SUPPLIER, other)
    swapped = hand_in(world, tender_id, tenderer_id=other)
    start(world, tender_id)
    world.do(lambda work: work.session.execute(delete(CiphertextPart)), actor=SYSTEM)
    for seat in voters(world.seats(tender_id))[:3]:
        told = {"shares": [share_of(world, bid, seat) for bid in (crafted, swapped)], "unreadable": []}
        post_json(app, browser_of(app, world, seat), f"/commission/{tender_id}/opening/shares", told)
    page = public(app).get(f"/tenders/{tender_id}/opening").text
    assert page.count("the sealed file is missing or damaged here") == 2
    # The files come again: what was crafted is found now, and the other bid is read.
    for bid in (crafted, swapped):
        upload(world, tender_id, bid, actor=somebody(Role.SUPPLIER, bid.tenderer_id))
    secretary, at = signed_in(app, _id(world.secretary.id)), f"/tenders/{tender_id}/opening"
    assert send(secretary, f"{at}/reveal", {}, shown_at=at).status_code == 303
    page = public(app).get(at).text
    assert "do not belong together" in page
    assert "Cannot be read" in page
    assert page.count("Digest of the content:") == 1


def test_price_envelopes_of_admitted_bids_are_opened_on_the_same_page(
    app: Flask, world: Procurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    procedure = profiles.load("kz-catering-points")
    twofold = Profile.from_json({**procedure.json, "envelopes": ["qualification", "price"]})
    monkeypatch.setattr(profiles, "load", lambda _code: twofold)
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = hand_in(world, tender_id, envelopes=("qualification", "price"))
    start(world, tender_id)
    seats = voters(world.seats(tender_id))
    for seat in seats[:3]:
        hand_in_share(app, world, tender_id, bid, seat)
    secretary, at = signed_in(app, _id(world.secretary.id)), f"/tenders/{tender_id}/opening"
    assert send(secretary, f"{at}/finish", {}, shown_at=at).status_code == 303
    assert "Envelope with the price" not in public(app).get(at).text
    lots = {str(bid.lot_id): {"admitted": [str(bid.id)], "rejected": []}}
    world.act(tender_id, ActKind.ADMITTED, {"lots": lots})
    assert world.stage(tender_id) is TenderStage.EVALUATION
    at_work = browser_again(app, seats[2]).get(f"/commission/{tender_id}").text
    for desk in ("opening", "declarations", "admission", "scores"):
        assert f"/commission/{tender_id}/{desk}" in at_work
    assert f"/commission/{tender_id}/award" not in at_work
    for seat in seats[2:]:
        page = f"/commission/{tender_id}/opening"
        client = browser_again(app, seat) if seat is seats[2] else browser_of(app, world, seat)
        assert "1 share waits for your key" in client.get(page).text
        share = open_share(Manifest.from_bytes(bid.manifest), "price", str(seat.id), world.identities[seat.id])
        told = {"shares": [b64encode(share.to_bytes()).decode()], "unreadable": []}
        assert post_json(app, client, f"{page}/shares", told).json["faults"] == []
    row: OpenedBid = world.look(lambda work: work.session.get_one(OpenedBid, (bid.id, "price")))
    assert row.unreadable is None
    page = public(app).get(at).text
    assert page.count("Digest of the content:") == 2
    assert "Envelope with the price" in page


def browser_again(app: Flask, seat: SeatFacts) -> FlaskClient:
    """Another browser of a member whose role is granted already."""
    return signed_in(app, seat.person_id)


def test_what_is_no_share_is_refused_and_nothing_is_kept(app: Flask, world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    seats = voters(world.seats(tender_id))
    client, path = browser_of(app, world, seats[0]), f"/commission/{tender_id}/opening/shares"
    for told in ({}, {"shares": "x", "unreadable": []}, {"shares": ["?"], "unreadable": []}):
        assert post_json(app, client, path, told).json["code"] == "no-shares"
    stolen = {"shares": [share_of(world, bid, seats[1])], "unreadable": []}
    assert post_json(app, client, path, stolen).json["code"] == "not-your-share"
    (line,) = world.look(opening_queries.opening, tender_id, actor=SYSTEM).lines
    assert (line.good, line.bad) == ((), ())


def test_too_few_come_and_the_bidder_opens_the_own_bid(app: Flask, world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    seat = world.seat(tender_id, "chair")
    at = f"/tenders/{tender_id}/opening"
    bidder = signed_in(app, _id(world.supplier.id))
    disclosing = f"/tenders/{tender_id}/disclose"
    recovery = {"recovery": (io.BytesIO(bid.recovery), "recovery.json")}
    assert "You are not asked now" in bidder.get(disclosing).text
    chair = browser_of(app, world, seat)
    assert send(chair, f"{at}/ask", {}, shown_at=at).status_code == 409, "put it off once first"
    assert "Put the opening off" not in chair.get(at).text
    assert send(chair, f"{at}/adjourn", {}, shown_at=at).status_code == 409, "members may still come"
    for step in ("adjourn", "ask"):
        world.clock.now = world.until(tender_id, "opening") + timedelta(seconds=1)
        chair = signed_in(app, seat.person_id)
        assert send(chair, f"{at}/{step}", {}, shown_at=at).status_code == 303
    bidder = signed_in(app, _id(world.supplier.id))
    assert "0 members had come, 3 are needed" in public(app).get(at).text
    assert "Send it until" in bidder.get(disclosing).text
    assert send(bidder, disclosing, {}, shown_at=disclosing).status_code == 422
    assert send(bidder, disclosing, recovery, shown_at=disclosing).status_code == 303
    row: OpenedBid = world.look(lambda work: work.session.get_one(OpenedBid, (bid.id, "qualification")))
    assert (row.unreadable, row.recovery is None) == (None, False)
    assert "None of your bids waits for a key" in bidder.get(disclosing).text


def test_an_interest_is_declared_and_an_alternate_is_called(app: Flask, world: Procurement, tender_id: UUID) -> None:
    hand_in(world, tender_id)
    start(world, tender_id)
    seat = world.seat(tender_id, "member")
    client, page = browser_of(app, world, seat), f"/commission/{tender_id}/declarations"
    about = {"tenderer_id": str(world.supplier_id)}
    assert send(client, page, about, shown_at=page).status_code == 422
    assert send(client, page, {**about, "nature": "relative"}, shown_at=page).status_code == 303
    row: InterestDeclaration = world.look(
        lambda work: work.session.query(InterestDeclaration).filter_by(seat_id=seat.id).one()
    )
    assert (row.has_interest, row.nature) == (True, "relative")
    seats = world.seats(tender_id)
    assert seat.id not in {one.id for one in voters(seats)}
    assert len(voters(seats)) == 5
    shown = public(app).get(f"/tenders/{tender_id}/opening").text
    assert f"{seat.name} left the commission" in shown
    assert "relative" not in shown
    assert "A decision takes 4 of 5 members" in shown
    called = next(one for one in voters(seats) if one.seated_at is not None)
    none: dict[str, Any] = {"has_interest": False, "nature": "none"}
    world.do(commission.declare_interest, tender_id, world.supplier_id, **none, actor=world.holder(called))
    assert public(app).get(f"/tenders/{tender_id}/opening").text.count("1 of 1 bidders") == 1
    states = world.look(interests.declaration_states, tender_id, actor=world.auditor)
    assert [(one.declared, one.tenderers) for one in states] == [(0, 1)] * 4 + [(1, 1)]


def test_a_member_whom_the_registers_tie_to_a_bidder_is_told(app: Flask, world: Procurement, tender_id: UUID) -> None:
    hand_in(world, tender_id)
    start(world, tender_id)
    seat = world.seat(tender_id, "chair")
    found = world.look(interests.to_declare, tender_id, actor=world.holder(seat))
    assert [(one.tenderer_id, one.declared, list(one.hits)) for one in found] == [(world.supplier_id, False, [])]
    tie(world, seat)
    client = browser_of(app, world, seat)
    assert "Your employer:" in client.get(f"/commission/{tender_id}/declarations").text
    (state,) = [
        one
        for one in world.look(interests.declaration_states, tender_id, actor=world.auditor)
        if one.seat.id == seat.id
    ]
    assert state.open_hits == 1


def tie(world: Procurement, seat: SeatFacts) -> None:
    """Let the member work for the bidder."""

    def write(work: Any) -> None:
        employer = identity.organisation(work, world.supplier_id)
        row = work.session.get_one(PoolMember, seat.pool_member_id)
        row.employer_identifier = employer.identifier or str(world.supplier_id)

    world.do(write, actor=SYSTEM)


def test_an_opening_is_led_by_those_who_have_part_in_it(app: Flask, world: Procurement, tender_id: UUID) -> None:
    hand_in(world, tender_id)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=30, microseconds=1)
    at = f"/tenders/{tender_id}/opening"
    stranger = signed_in(app, _id(world.stranger.id))
    assert send(stranger, f"{at}/start", {}, shown_at=at).status_code == 403
    assert send(stranger, f"{at}/nothing", {}, shown_at=at).status_code == 404
    secretary = signed_in(app, _id(world.secretary.id))
    assert "Begin the opening" in secretary.get(at).text
    assert "Begin the opening" not in stranger.get(at).text
    assert send(secretary, f"{at}/start", {}, shown_at=at).status_code == 303
    assert world.stage(tender_id) is TenderStage.OPENING


def test_the_ceremony_tells_the_browser_only_the_own_work(app: Flask, world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    seat = world.seat(tender_id, "chair")
    told = told_by(browser_of(app, world, seat), f"/commission/{tender_id}/opening/work")
    assert told["member_id"] == str(seat.id)
    assert [(one["bid_id"], one["envelope"]) for one in told["envelopes"]] == [(str(bid.id), "qualification")]
    assert told["envelopes"][0]["manifest"] == b64encode(bid.manifest).decode()
    key_set = json.loads(b64decode(told["envelopes"][0]["key_set"]))
    assert (key_set["k"], len(key_set["members"])) == (3, 5)
    alternate = world.seat(tender_id, "alternate")
    assert browser_of(app, world, alternate).get(f"/commission/{tender_id}/opening/work").status_code == 404


def _id(person_id: UUID | None) -> UUID:
    assert person_id is not None
    return person_id
