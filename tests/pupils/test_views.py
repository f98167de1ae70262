"""The pages by a browser: status, words, and on refusal that nothing changed."""

import io
import re
from typing import Any
from uuid import UUID, uuid4

import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from schoolmeals import identity, pupils
from schoolmeals.actors import Role
from schoolmeals.clock import MovableClock
from schoolmeals.database import transaction
from schoolmeals.errors import NotFound
from schoolmeals.files.models import KeptFile
from schoolmeals.pupils import jobs, rules
from schoolmeals.pupils.models import Card, ClaimCode, Guardianship, Pupil, RosterImport
from schoolmeals.worker import run_worker
from tests.factories.files import file_id_in
from tests.factories.identity import PersonFactory, signed_in
from tests.factories.pupils import CardFactory, PhotoFactory, PupilFactory
from tests.factories.rosters import ABAI, BEK, csv_of, many
from tests.factories.wallet import csrf_token
from tests.pupils.conftest import School

UID = "04:A2:4F:21:9C:5E:80"


def post(browser: FlaskClient, path: str, page: str, **data: Any) -> Any:
    """Send a form as the page at ``page`` would."""
    return browser.post(path, data={"csrf_token": csrf_token(browser, page), **data})


def pages_of(school: School) -> list[str]:
    base, pupil = f"/school/{school.id}", f"/school/{school.id}/pupils/{school.ali.id}"
    return [
        f"{base}/pupils",
        f"{base}/pupils?search=аб&class_id={school.class_id}&show=without-card",
        f"{base}/pupils?show=left",
        f"{base}/pupils.csv",
        f"{base}/pupils/new",
        f"{base}/cards",
        f"{base}/import",
        f"{base}/import/template.csv",
        f"{base}/import/template.xlsx",
        pupil,
        f"{pupil}/edit",
        f"{pupil}/allergens",
        f"/pupil/{school.id}/{school.ali.id}/cards",
    ]


def test_every_page_is_there_for_its_office_and_missing_for_another(school: School, other_school: School) -> None:
    for path in pages_of(school):
        assert school.office_browser.get(path).status_code == 200, path
        assert other_school.office_browser.get(path).status_code == 404, path
        expected = 404 if path.startswith("/pupil/") else 403
        assert other_school.parent_browser.get(path).status_code == expected, path


def test_the_first_page_goes_to_the_only_school(school: School) -> None:
    answer = school.office_browser.get("/pupils")
    assert (answer.status_code, answer.location) == (303, f"/school/{school.id}/pupils")


def test_a_pupil_is_added_and_what_was_typed_stays_when_refused(school: School, rows: Any) -> None:
    path = f"/school/{school.id}/pupils/new"
    typed = {"surname": "Сейіт", "given_name": "", "class_name": "7 «Ғ»", "birth_date": "2013-02-03"}
    refused = post(school.office_browser, path, path, **typed)
    assert refused.status_code == 422
    assert 'value="Сейіт"' in refused.text
    assert 'href="#f-given_name"' in refused.text
    assert len(rows(Pupil)) == 2
    done = post(school.office_browser, path, path, **{**typed, "given_name": "Дана"})
    assert done.status_code == 303
    assert "7 «Ғ»" in school.office_browser.get(done.location).text


def test_a_card_is_enrolled_by_its_fingerprint_alone_and_blocked_by_one_tap(school: School, rows: Any) -> None:
    page = f"/school/{school.id}/pupils/{school.ali.id}"
    assert post(school.office_browser, f"{page}/cards", page, number=UID).status_code == 303
    (card,) = rows(Card)
    assert (card.kind, card.label, len(card.number_hash)) == ("iso14443", "…5E80", 32)
    mine = f"/pupil/{school.id}/{school.ali.id}/cards"
    assert post(school.parent_browser, f"{mine}/{card.id}/block", mine).status_code == 303
    (card,) = rows(Card)
    assert (card.block_reason, card.blocked_by) == ("lost", school.parent.id)
    assert "The money is safe" in school.parent_browser.get(mine).text


def test_a_card_that_is_somebody_elses_or_none_is_refused(school: School, rows: Any) -> None:
    ali, maria = (f"/school/{school.id}/pupils/{child.id}" for child in (school.ali, school.maria))
    post(school.office_browser, f"{ali}/cards", ali, number=UID)
    assert post(school.office_browser, f"{maria}/cards", maria, number=UID.lower()).status_code == 409
    for number in ("", "hello", "08A1B2C3", "00000000"):
        assert post(school.office_browser, f"{maria}/cards", maria, number=number).status_code == 422
    assert [card.pupil_id for card in rows(Card)] == [school.ali.id]


def test_a_guardian_blocks_no_foreign_card(school: School, other_school: School, rows: Any) -> None:
    card = CardFactory.create(school_id=school.id, pupil_id=school.ali.id)
    marias = CardFactory.create(school_id=school.id, pupil_id=school.maria.id)
    mine = f"/pupil/{school.id}/{school.ali.id}/cards"
    own = f"/pupil/{other_school.id}/{other_school.ali.id}/cards"
    assert post(other_school.parent_browser, f"{mine}/{card.id}/block", own).status_code == 404
    assert post(school.parent_browser, f"{mine}/{marias.id}/block", mine).status_code == 404
    assert [one.blocked_at for one in rows(Card)] == [None, None]


def ordered(browser: FlaskClient, path: str, page: str, **data: Any) -> UUID:
    """Order a paper as the page does; gives the file's id."""
    answer = post(browser, path, page, **data)
    assert answer.status_code == 303, answer.text
    return file_id_in(answer.location)


def test_qr_cards_are_printed_ten_to_a_page_and_end_those_before(app: Flask, school: School, rows: Any) -> None:
    PupilFactory.create_batch(9, school_id=school.id, class_id=school.class_id)
    path = f"/school/{school.id}/cards"
    file_id = ordered(school.office_browser, f"{path}/print", path, class_id=school.class_id)
    assert rows(Card) == []
    run_worker(app, wait=False)
    answer = school.office_browser.get(f"/file/{file_id}/download")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    with pikepdf.open(io.BytesIO(answer.data)) as pdf:
        assert len(pdf.pages) == 2
    assert len(rows(Card)) == 11
    assert {card.issued_by for card in rows(Card)} == {school.office.id}
    jobs.print_cards(str(ordered(school.office_browser, f"{path}/print", path, pupil_id=str(school.ali.id))))
    assert sorted(card.replaced_at is None for card in rows(Card) if card.pupil_id == school.ali.id) == [False, True]


def test_where_the_paper_fails_the_old_cards_still_open(
    school: School, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    CardFactory.create(school_id=school.id, pupil_id=school.ali.id, kind="qr")
    monkeypatch.setattr("schoolmeals.files.papers.SECONDS", 0.001)
    path = f"/school/{school.id}/cards"
    jobs.print_cards(str(ordered(school.office_browser, f"{path}/print", path, class_id=school.class_id)))
    assert [card.replaced_at for card in rows(Card)] == [None]


def test_who_lost_the_role_meanwhile_gets_no_cards(school: School, rows: Any, do: Any) -> None:
    path = f"/school/{school.id}/cards"
    file_id = ordered(school.office_browser, f"{path}/print", path, class_id=school.class_id)
    assert school.office.id is not None
    do(identity.revoke_role, school.office.id, Role.SCHOOL_OFFICE, school.id)
    jobs.print_cards(str(file_id))
    assert rows(Card) == []
    assert [(one.failure_code, one.content) for one in rows(KeptFile)] == [("not-found", None)]


def test_a_letters_code_makes_an_account_and_a_guardian_in_one_step(
    app: Flask, school: School, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def keep(html: str, _tell: Any) -> bytes:
        seen.append(html)
        return b"%PDF"

    monkeypatch.setattr("schoolmeals.files.making.drawn", keep)
    path = f"/school/{school.id}/cards"
    page = path.removesuffix("/cards")
    jobs.print_codes(str(ordered(school.office_browser, f"{page}/codes/print", path, class_id=school.class_id)))
    codes = re.findall(r'<p class="code">([^<]+)</p>', seen[0])
    assert len(codes) == 2
    assert codes[0].encode() not in b"".join(code.code_hash for code in rows(ClaimCode))
    stranger = app.test_client()
    typed = {"relation": "father", "name": "Серік", "contact": "+77011234567", "password": "correct horse battery"}
    wrong = post(stranger, "/claim", "/claim", **typed, code="AAAAA-AAAAA")
    assert wrong.status_code == 422
    assert 'value="Серік"' in wrong.text
    short = post(stranger, "/claim", "/claim", **{**typed, "password": "short"}, code=codes[0])
    assert short.status_code == 422
    assert [code.used_at for code in rows(ClaimCode)] == [None, None]
    done = post(stranger, "/claim", "/claim", **typed, code=codes[0].lower().replace("0", "o"))
    assert (done.status_code, done.location) == (303, "/")
    assert len([tie for tie in rows(Guardianship) if tie.relation == "father"]) == 1
    assert stranger.get("/claim").status_code == 200
    used = post(stranger, "/claim", "/claim", relation="mother", code=codes[0])
    assert used.status_code == 422
    assert len(rows(Guardianship)) == 2


def test_guessing_codes_is_slowed_down(app: Flask, school: School) -> None:
    stranger = app.test_client()
    typed = {"relation": "father", "name": "X", "contact": "+77011234567", "password": "correct horse battery"}
    found = [post(stranger, "/claim", "/claim", **typed, code=f"{n:010}").status_code for n in range(12)]
    assert found == [422] * rules.CLAIM_LIMIT + [429] * (12 - rules.CLAIM_LIMIT)


def test_a_guardian_gives_the_other_one_a_code_and_the_office_ends_a_tie(app: Flask, school: School, rows: Any) -> None:
    mine = f"/pupil/{school.id}/{school.ali.id}/cards"
    shown = post(school.parent_browser, f"/pupil/{school.id}/{school.ali.id}/code", mine)
    code = re.search(r"[0-9A-Z]{5}-[0-9A-Z]{5}", shown.text)
    assert code is not None
    second = PersonFactory.create(roles=[])
    browser = signed_in(app, second.id)
    assert post(browser, "/claim", "/claim", relation="father", code=code[0]).status_code == 303
    assert browser.get(mine).status_code == 200
    page = f"/school/{school.id}/pupils/{school.ali.id}"
    assert post(school.office_browser, f"{page}/guardians/{second.id}/end", page).status_code == 303
    # It was their only pupil, so they are no parent any more and stand before the door of parents.
    assert browser.get(mine).status_code == 403
    assert school.parent_browser.get(mine).status_code == 200


def picture(size: tuple[int, int] = (900, 600), form: str = "JPEG") -> bytes:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, form, exif=exif)
    return buffer.getvalue()


def test_a_photo_becomes_small_and_anonymous_and_is_cached_privately(school: School, rows: Any) -> None:
    page = f"/school/{school.id}/pupils/{school.ali.id}"
    answer = post(school.office_browser, f"{page}/photo", page, photo=(io.BytesIO(picture()), "face.jpg"))
    assert answer.status_code == 303
    (child,) = [one for one in rows(Pupil) if one.id == school.ali.id]
    address = f"/photo/{school.id}/{child.photo_id}"
    shown = school.parent_browser.get(address)
    assert shown.status_code == 200
    assert len(shown.data) <= 20_000
    assert b"SecretCamera" not in shown.data
    with Image.open(io.BytesIO(shown.data)) as small:
        assert (small.size, small.format, dict(small.getexif())) == ((320, 320), "WEBP", {})
    assert shown.headers["Cache-Control"].startswith("private")
    again = school.parent_browser.get(address, headers={"If-None-Match": shown.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_photo_is_not_for_strangers(app: Flask, school: School, other_school: School) -> None:
    photo = PhotoFactory.create(school_id=school.id)
    PupilFactory.create(school_id=school.id, photo_id=photo.id)
    address = f"/photo/{school.id}/{photo.id}"
    assert other_school.parent_browser.get(address).status_code == 404
    assert other_school.office_browser.get(address).status_code == 404
    assert school.parent_browser.get(address).status_code == 404
    assert app.test_client().get(address).status_code == 303


def flood() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("upload", [b"", b"GIF89a", b"\xff\xd8\xff broken", picture()[:500], flood()])
def test_what_is_no_picture_or_too_large_a_one_is_refused(school: School, rows: Any, upload: bytes) -> None:
    page = f"/school/{school.id}/pupils/{school.ali.id}"
    answer = post(school.office_browser, f"{page}/photo", page, photo=(io.BytesIO(upload), "face.png"))
    assert answer.status_code == 422
    assert {one.photo_id for one in rows(Pupil)} == {None}


def upload_roll(school: School, content: bytes, name: str = "roll.csv") -> Any:
    path = f"/school/{school.id}/import"
    return post(school.office_browser, path, path, file=(io.BytesIO(content), name))


def test_a_roll_is_looked_at_first_and_imported_on_yes(school: School, rows: Any) -> None:
    bad = ("103", "", "Аты", "", "2014-01-01", "5А")
    answer = upload_roll(school, csv_of(ABAI, BEK, ("104", "Жаңа", "Бала", "", "2014-01-01", "6Б"), bad))
    assert answer.status_code == 303
    page = school.office_browser.get(answer.location)
    assert "What would change" in page.text
    assert "This must be filled in." in page.text
    assert len(rows(Pupil)) == 2
    problems = school.office_browser.get(f"{answer.location}/problems.csv")
    assert "roll.csv;5;Surname;This must be filled in." in problems.data.decode("utf-8-sig")
    assert post(school.office_browser, f"{answer.location}/confirm", answer.location).status_code == 303
    assert "The list is in" in school.office_browser.get(answer.location).text
    assert sorted(one.sourced_id for one in rows(Pupil)) == ["101", "102", "104"]
    (kept,) = rows(RosterImport)
    assert (kept.content, set(kept.preview)) == (None, {"source", "counts", "must_be_confirmed", "problems"})


def test_when_many_would_leave_their_number_must_be_typed(school: School, rows: Any) -> None:
    answer = upload_roll(school, csv_of(ABAI))
    assert "1 of 2 pupils" in school.office_browser.get(answer.location).text
    for typed in ("", "2", "yes"):
        refused = post(school.office_browser, f"{answer.location}/confirm", answer.location, confirmation=typed)
        assert refused.status_code == 422
    assert [one.left_on for one in rows(Pupil)] == [None, None]
    post(school.office_browser, f"{answer.location}/confirm", answer.location, confirmation="1")
    assert [one.sourced_id for one in rows(Pupil) if one.left_on is not None] == ["102"]


def test_a_long_roll_is_written_by_the_worker_while_the_page_shows_how_far(
    app: Flask, school: School, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schoolmeals.pupils.actions.imports.ROWS_AT_ONCE", 20)
    monkeypatch.setattr(jobs, "ROWS_A_PART", 30)
    answer = upload_roll(school, csv_of(ABAI, BEK, *many(70)))
    post(school.office_browser, f"{answer.location}/confirm", answer.location)
    waiting = school.office_browser.get(answer.location).text
    assert "<progress" in waiting
    assert 'http-equiv="refresh"' in waiting
    assert len(rows(Pupil)) == 2
    (kept,) = rows(RosterImport)
    jobs.apply_in_parts(str(school.id), str(kept.id))
    assert len(rows(Pupil)) == 72
    jobs.apply_in_parts(str(school.id), str(kept.id))
    assert "The list is in" in school.office_browser.get(answer.location).text


def test_hostile_uploads_are_refused_on_the_page(app: Flask, school: School, rows: Any) -> None:
    for content in (b"", b"PK\x03\x04x", b"\x00" * 500, csv_of(("a",), header=("b",))):
        refused = upload_roll(school, content)
        assert refused.status_code == 422
        assert 'href="#f-file"' in refused.text
    assert rows(RosterImport) == []
    path = f"/school/{school.id}/import"
    token = csrf_token(school.office_browser, path)
    large = school.office_browser.post(
        path,
        headers={"X-CSRFToken": token},
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": "2000000000", "wsgi.input": io.BytesIO(b"--x")},
    )
    assert large.status_code == 413


def test_a_dropped_upload_changes_nothing(school: School, rows: Any) -> None:
    answer = upload_roll(school, csv_of(BEK))
    assert post(school.office_browser, f"{answer.location}/drop", answer.location).status_code == 303
    assert school.office_browser.get(answer.location).status_code == 404
    assert [one.left_on for one in rows(Pupil)] == [None, None]


def test_the_downloaded_list_can_be_imported_again_and_changes_nothing(school: School) -> None:
    content = school.office_browser.get(f"/school/{school.id}/pupils.csv").data
    answer = upload_roll(school, content)
    counts = re.findall(
        r"<dt>(New pupils|Changed|Unchanged|Leaving)</dt>\s*<dd>(\d+)</dd>",
        school.office_browser.get(answer.location).text,
    )
    assert dict(counts) == {"New pupils": "0", "Changed": "0", "Unchanged": "2", "Leaving": "0"}


def test_names_in_a_downloaded_list_are_no_formulas(school: School, clock: MovableClock) -> None:
    PupilFactory.create(school_id=school.id, class_id=school.class_id, surname="=HYPERLINK(1)")
    content = school.office_browser.get(f"/school/{school.id}/pupils.csv").data.decode("utf-8-sig")
    assert ";'=HYPERLINK(1);" in content


def test_allergens_are_kept_with_how_serious_they_are(school: School, look: Any) -> None:
    page = f"/school/{school.id}/pupils/{school.ali.id}/allergens"
    data = {"nuts": "certified", "milk": "wish", "other": "бал", "other_severity": "intolerance"}
    assert post(school.office_browser, page, page, **data).status_code == 303
    found = look(pupils.pupil, school.id, school.ali.id, actor=school.office).allergens
    assert [tuple(one) for one in found] == [("milk", "wish"), ("nuts", "certified"), ("other:бал", "intolerance")]
    assert "бал: intolerance" in school.office_browser.get(page.removesuffix("/allergens")).text


def test_a_pupil_leaves_and_returns(school: School, rows: Any) -> None:
    CardFactory.create(school_id=school.id, pupil_id=school.ali.id)
    page = f"/school/{school.id}/pupils/{school.ali.id}"
    assert post(school.office_browser, f"{page}/leave", page).status_code == 303
    assert rows(Card)[0].replaced_at is not None
    assert post(school.office_browser, f"{page}/leave", page).status_code == 409
    assert post(school.office_browser, f"{page}/return", page).status_code == 303
    assert {one.left_on for one in rows(Pupil)} == {None}


def test_a_cashier_looks_and_changes_nothing(app: Flask, school: School) -> None:
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school.id)])
    browser = signed_in(app, cashier.id)
    page = browser.get(f"/school/{school.id}/pupils/{school.ali.id}")
    assert page.status_code == 200
    assert "Let this card open" not in page.text
    assert browser.get(f"/school/{school.id}/pupils/new").status_code == 403


def test_hidden_things_are_missing_things(school: School) -> None:
    nowhere = f"/school/{school.id}/pupils/{uuid4()}"
    assert school.office_browser.get(nowhere).status_code == 404
    assert school.office_browser.get(f"/school/{uuid4()}/import").status_code == 404
    assert school.office_browser.get(f"/school/{school.id}/import/{uuid4()}").status_code == 404


def test_the_api_does_the_same_deeds(school: School, clock: MovableClock) -> None:
    base = f"/api/schools/{school.id}"
    office, parent = school.office_browser, school.parent_browser
    headers = {"X-CSRFToken": csrf_token(office, f"/school/{school.id}/import")}
    assert [one["name"] for one in parent.get("/api/pupils").get_json()["pupils"]] == ["Абай Әли"]
    assert office.get(f"{base}/pupils?search=бек").get_json()["total"] == 1
    assert office.get(f"{base}/classes").get_json()["classes"][0]["pupils"] == 2
    new = office.post(f"{base}/pupils", json={"surname": "Жан", "given_name": "Дана"}, headers=headers)
    assert new.status_code == 201
    path = f"{base}/pupils/{new.get_json()['id']}"
    changed = office.put(path, json={"surname": "Жан", "given_name": "Айша"}, headers=headers)
    assert changed.get_json()["name"] == "Жан Айша"
    card = office.post(f"{path}/cards", json={"number": UID}, headers=headers)
    assert (card.status_code, card.get_json()["label"]) == (201, "…5E80")
    blocked = office.put(f"{base}/cards/{card.get_json()['id']}/block", json={}, headers=headers)
    assert blocked.status_code == 204
    assert office.get(f"{path}/cards").get_json()["cards"][0]["block_reason"] == "lost"
    assert parent.get(path).status_code == 404
    hole = office.post(
        f"{base}/pupils", json={"surname": "А", "given_name": "Б", "left_on": "2026-01-01"}, headers=headers
    )
    assert hole.status_code == 422
    upload = office.post(
        f"{base}/roster-imports", data={"file": (io.BytesIO(csv_of(ABAI, BEK)), "r.csv")}, headers=headers
    )
    assert (upload.status_code, upload.get_json()["counts"]["leaving"]) == (201, 1)
    confirmed = office.post(
        f"{base}/roster-imports/{upload.get_json()['id']}/confirm", json={"confirmation": "1"}, headers=headers
    )
    assert confirmed.get_json()["applied_at"] is not None
    assert office.delete(path, headers=headers).status_code == 409


def test_nothing_is_written_where_a_deed_is_refused(school: School, clock: MovableClock, rows: Any) -> None:
    with pytest.raises(NotFound), transaction(school.parent, clock()) as work:
        pupils.block_card(work, school.id, CardFactory.create(school_id=school.id, pupil_id=school.maria.id).id, "lost")
    assert rows(Card)[0].blocked_at is None
