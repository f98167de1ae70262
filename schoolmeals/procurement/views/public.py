"""What everybody may read without signing in: the list of tenders, each tender, its versions, its news, draws."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext, ngettext

from schoolmeals import identity
from schoolmeals.database import reading
from schoolmeals.errors import NotFound
from schoolmeals.procurement import showing
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import enquiries as enquiry_queries
from schoolmeals.procurement.queries import papers as paper_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.answers import decision_links
from schoolmeals.procurement.queries.news import latest_acts, schools_of
from schoolmeals.procurement.queries.papers import published_alone
from schoolmeals.procurement.queries.tenders import TenderLine, TenderSearch, TenderView, VersionFacts
from schoolmeals.procurement.repeating import related_tenders
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.stages import STAGE_NAMES, UNPUBLISHED, TenderStage
from schoolmeals.procurement.views.amendments import changes_between
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.enquiries import shown_enquiries
from schoolmeals.procurement.views.papers import shown_documents
from schoolmeals.procurement.words import ACT_NAMES, CONSTITUENCY_NAMES, PART_NAMES
from schoolmeals.web import PUBLIC_POLICY, actor, guard, language, now, public_base, render

MOST_TEXT = 100
LAST_PAGE = 10_000
DEADLINES = (3, 7, 14, 30)
"""Days within which a reader may ask for deadlines."""


@pages.get("/tenders")
@guard(PUBLIC_POLICY)
def tenders() -> Any:
    """All published tenders, narrowed by words, stage and school."""
    search = _asked()
    with reading(actor(), now()) as work:
        found = tender_queries.tenders(work, search)
        schools = {one.id: one for one in identity.organisations(work, ["school", "city"])}
        lots = schools_of(work, [line.id for line in found.lines])
    names = {one.id: one.name(language()) for one in schools.values()}
    return render(
        "procurement/tenders.html",
        lines=[_line(line, [names[one] for one in lots.get(line.id, ())]) for line in found.lines],
        found=found,
        typed=request.args,
        stages=[(one.value, gettext(STAGE_NAMES[one])) for one in TenderStage if one not in UNPUBLISHED],
        schools=[(one.id, one.name(language())) for one in schools.values() if one.kind == "school"],
        deadlines=[(days, ngettext("Within %(num)s day", "Within %(num)s days", days)) for days in DEADLINES],
        page_url=_page_url,
    )


@pages.get("/tenders/<uuid:tender_id>")
@guard(PUBLIC_POLICY)
def tender(tender_id: UUID) -> Any:
    """One published tender, with everything that is public about it."""
    with reading(actor(), now()) as work:
        version = tender_queries.version(work, tender_id)
        view = tender_queries.tender(work, tender_id)
        acts = tender_queries.acts(work, tender_id)
        asked = enquiry_queries.enquiries(work, tender_id)
        papers = paper_queries.documents(work, tender_id)
        decisions = decision_links(work, tender_id)
        repeats, repeated_by = related_tenders(work, tender_id)
    document, profile = version.document, view.profile
    draw = next((one.id for one in reversed(acts) if one.kind is ActKind.DRAW_ANNOUNCED), None)
    term = showing.running_term(view, now())
    return render(
        "procurement/tender.html",
        view=view,
        version=version,
        document=document,
        title=showing.said(view.line.title),
        stage=showing.stage_tag(view.line.stage),
        countdown=_countdown(term),
        timeline=showing.timeline(view, now()),
        sections=showing.shown_sections(document["sections"], profile.purpose, of_lot=False),
        lots=[_lot(lot, profile.purpose) for lot in document["lots"]],
        total_minor=sum(showing.ceiling_of(lot["items"]) for lot in document["lots"]),
        members=showing.member_rows(document),
        draw_id=draw,
        numbers=showing.procedure_rows(profile),
        criteria=showing.criteria_rows(profile),
        history=showing.history(acts),
        enquiries=shown_enquiries(asked, document),
        questions_until=_questions_until(view),
        may_complain=showing.may_complain(view),
        decisions=decisions,
        repeats=repeats,
        repeated_by=repeated_by,
        **shown_documents(published_alone(papers, version.version), tender_id),
        said=showing.said,
    )


@pages.get("/tenders/<uuid:tender_id>/notice.json")
@guard(PUBLIC_POLICY)
def notice_json(tender_id: UUID) -> Any:
    """A version's own bytes, whose SHA-256 is the notice's digest; ``?version=`` for an earlier one."""
    wanted = request.args.get("version", type=int)
    with reading(actor(), now()) as work:
        version = tender_queries.version(work, tender_id, wanted)
    answer = Response(version.text, mimetype="application/json")
    name = f"tender-{version.document['number']}-v{version.version}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@pages.get("/tenders/<uuid:tender_id>/history")
@guard(PUBLIC_POLICY)
def tender_history(tender_id: UUID) -> Any:
    """What has happened to a tender, and how each version differs from the one before."""
    with reading(actor(), now()) as work:
        versions = tender_queries.versions(work, tender_id)
        view = tender_queries.tender(work, tender_id)
        acts = tender_queries.acts(work, tender_id)
    return render(
        "procurement/history.html",
        view=view,
        title=showing.said(view.line.title),
        history=showing.history(acts),
        versions=_versions(versions),
    )


@pages.get("/tenders/feed.atom")
@guard(PUBLIC_POLICY)
def tender_feed() -> Any:
    """The news of all tenders, for feed readers."""
    with reading(actor(), now()) as work:
        entries = [
            {
                "id": act.id,
                "at": act.at,
                "title": f"{tender.number}: {showing.said(tender.title)}",
                "text": gettext(ACT_NAMES[act.kind]),
                "href": public_base() + url_for("procurement.tender", tender_id=tender.id),
            }
            for tender, act in latest_acts(work)
            if act.kind in ACT_NAMES
        ]
    updated = entries[0]["at"] if entries else now()
    here = public_base() + url_for("procurement.tender_feed")
    answer = make_response(render_template("procurement/feed.xml", entries=entries, updated=updated, here=here))
    answer.headers["Content-Type"] = "application/atom+xml; charset=utf-8"
    return answer


@pages.get("/draws/<uuid:act_id>")
@guard(PUBLIC_POLICY)
def draw(act_id: UUID) -> Any:
    """A draw with all that is needed to repeat it; it names no tender."""
    with reading(actor(), now()) as work:
        record = commission_queries.draw_record(work, act_id)
    pool = {one["id"]: one for one in record.announcement["pool"]}
    return render(
        "procurement/draw.html",
        record=record,
        not_before=showing.when(datetime.fromisoformat(record.announcement["seed_not_before"])),
        pool=record.announcement["pool"],
        seats=[{**pool[one["candidate_id"]], "part": one["part"]} for one in record.seats],
        constituencies=_words(CONSTITUENCY_NAMES),
        parts=_words(PART_NAMES),
    )


def _asked() -> TenderSearch:
    """What the address asks for. Raises NotFound for what no form of ours sends."""
    args = request.args
    try:
        stage = TenderStage(args["stage"]) if args.get("stage") else None
        school_id = UUID(args["school"]) if args.get("school") else None
        days = int(args["deadline"]) if args.get("deadline") else None
        page = int(args.get("page") or 1)
    except ValueError as error:
        raise NotFound from error
    if not 1 <= page <= LAST_PAGE or days not in (None, *DEADLINES):
        raise NotFound
    text = args.get("text", "").replace("\x00", "")[:MOST_TEXT]
    return TenderSearch(stage=stage, school_id=school_id, text=text, deadline_days=days, page=page, published=True)


def _page_url(page: int) -> str:
    kept = {name: request.args.get(name) or None for name in ("text", "stage", "school", "deadline")}
    return url_for("procurement.tenders", page=page, **cast(Any, kept))


def _line(line: TenderLine, schools: list[str]) -> dict[str, Any]:
    until = {TenderStage.DISCUSSION: line.times.discussion_until, TenderStage.BIDDING: line.times.bidding_until}
    return {
        "id": line.id,
        "number": line.number,
        "title": showing.said(line.title),
        "stage": showing.stage_tag(line.stage),
        "schools": schools,
        "until": until.get(line.stage),
        "published_at": line.times.published_at,
    }


def _countdown(term: tuple[str, Any] | None) -> dict[str, Any] | None:
    if term is None:
        return None
    name, until = term
    return {"name": name, "until": until, "left": showing.time_left(until, now())}


def _questions_until(view: TenderView) -> datetime | None:
    """Until when questions are taken; None where they are not."""
    term = view.terms.get("questions")
    takes = view.line.stage in (TenderStage.DISCUSSION, TenderStage.BIDDING)
    return term.until if takes and term is not None and now() <= term.until else None


def _lot(lot: Mapping[str, Any], purpose: str) -> dict[str, Any]:
    return {
        "position": lot["position"],
        "school": showing.said(lot["school"]["name"]),
        "school_id": lot["school"]["id"],
        "items": [(showing.item_name(item), item) for item in lot["items"]],
        "total_minor": showing.ceiling_of(lot["items"]),
        "sections": showing.shown_sections(lot["sections"], purpose, of_lot=True),
    }


def _versions(versions: list[VersionFacts]) -> list[dict[str, Any]]:
    """The latest first, each with what it changed."""
    shown: list[dict[str, Any]] = []
    before: VersionFacts | None = None
    for one in versions:
        shown.append(
            {
                "number": one.version,
                "at": one.at,
                "sha256": one.sha256,
                "rationale": showing.said(one.rationale),
                "differences": changes_between(before, one),
                "is_first": before is None,
            }
        )
        before = one
    return shown[::-1]


def _words(names: Mapping[str, str]) -> dict[str, str]:
    return {code: gettext(name) for code, name in names.items()}
