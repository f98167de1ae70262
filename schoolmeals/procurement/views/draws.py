"""The public list of all draws: who drew, by which seed, and what became of the tender."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import jsonify, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.database import Work, reading
from schoolmeals.errors import N_, NotFound
from schoolmeals.procurement import showing
from schoolmeals.procurement.queries import draws as draw_queries
from schoolmeals.procurement.queries.draws import DrawCount, DrawLine, DrawPage
from schoolmeals.procurement.rules.draw import LEFT_AFTER, Fate
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.web import PUBLIC_POLICY, actor, guard, language, now, public_base, render

LAST_PAGE: Final = 10_000
FATES: Final = {
    Fate.PREPARED: (N_("Not published yet"), "neutral"),
    Fate.LEFT: (N_("Left unpublished"), "care"),
    Fate.PUBLISHED: (N_("Published"), "good"),
}


@pages.get("/draws")
@guard(PUBLIC_POLICY)
def draws() -> Any:
    """All draws, the latest first, and how many there were of each buyer."""
    buyer_id, number = _asked()
    with reading(actor(), now()) as work:
        found, counts, names = _found(work, buyer_id, number)
    return render(
        "procurement/draws.html",
        lines=[_line(one, names) for one in found.lines],
        found=found,
        counts=[(one, names.get(one.organiser_id, "-")) for one in counts],
        buyer=names.get(buyer_id) if buyer_id else None,
        days=LEFT_AFTER.days,
        page_url=lambda page: url_for("procurement.draws", buyer=buyer_id, page=page),
        json_url=url_for("procurement.draws_json", buyer=buyer_id),
    )


@pages.get("/draws.json")
@guard(PUBLIC_POLICY)
def draws_json() -> Any:
    """The same list for machines, in pages; ``next`` leads on while there are more."""
    buyer_id, number = _asked()
    with reading(actor(), now()) as work:
        found, counts, names = _found(work, buyer_id, number)
    following = public_base() + url_for("procurement.draws_json", buyer=buyer_id, page=number + 1)
    answer = jsonify(
        {
            "left_unpublished_after_days": LEFT_AFTER.days,
            "buyers": [_count_json(one, names) for one in counts],
            "draws": [_line_json(one, names) for one in found.lines],
            "total": found.total,
            "next": following if number < found.pages else None,
        }
    )
    # Anybody's page may read it.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _asked() -> tuple[UUID | None, int]:
    """Whose draws, and which page. Raises NotFound for what no link of ours asks for."""
    try:
        buyer_id = UUID(request.args["buyer"]) if request.args.get("buyer") else None
        page = int(request.args.get("page") or 1)
    except ValueError as error:
        raise NotFound from error
    if not 1 <= page <= LAST_PAGE:
        raise NotFound
    return buyer_id, page


def _found(work: Work, buyer_id: UUID | None, page: int) -> tuple[DrawPage, list[DrawCount], dict[UUID, str]]:
    found = draw_queries.draws(work, organiser_id=buyer_id, page=page)
    names = {one.id: one.name(language()) for one in identity.organisations(work, ["school", "city"])}
    return found, draw_queries.draw_counts(work), names


def _line(line: DrawLine, names: dict[UUID, str]) -> dict[str, Any]:
    fate, kind = FATES[line.fate]
    tag = showing.stage_tag(line.stage) if line.stage is not None else (gettext(fate), kind)
    return {
        "id": line.id,
        "buyer": names.get(line.organiser_id, "-"),
        "when": showing.when(line.announced_at),
        "source": line.seed_source,
        "seed": line.seed,
        "drawn": showing.when(line.drawn_at) if line.drawn_at is not None else "",
        "known": showing.when(line.seed_not_before),
        "is_known": line.seed_not_before <= now(),
        "fate": tag,
        "tender_id": line.tender_id,
        "number": line.number,
    }


def _line_json(line: DrawLine, names: dict[UUID, str]) -> dict[str, Any]:
    base = public_base()
    tender = url_for("procurement.tender", tender_id=line.tender_id) if line.tender_id is not None else None
    return {
        "id": str(line.id),
        "url": base + url_for("procurement.draw", act_id=line.id),
        "buyer": {"id": str(line.organiser_id), "name": names.get(line.organiser_id, "")},
        "announced_at": _written(line.announced_at),
        "seed_source": line.seed_source,
        "seed_not_before": _written(line.seed_not_before),
        "drawn_at": _written(line.drawn_at) if line.drawn_at is not None else None,
        "seed": line.seed,
        "outcome": line.fate.value,
        "tender": {"number": line.number, "stage": line.stage, "url": f"{base}{tender}"} if tender else None,
    }


def _count_json(one: DrawCount, names: dict[UUID, str]) -> dict[str, Any]:
    numbers = {"draws": one.announced, "drawn": one.drawn, "published": one.published}
    return {
        "buyer": {"id": str(one.organiser_id), "name": names.get(one.organiser_id, "")},
        **numbers,
        "in_preparation": one.prepared,
        "left_unpublished": one.left,
    }


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
