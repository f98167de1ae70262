"""Open data for machines: a tender's record, and the releases of all tenders in pages. No sign-in, no wrapping."""

import json
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from schoolmeals.database import reading
from schoolmeals.errors import NotFound
from schoolmeals.procurement import ocds
from schoolmeals.procurement.queries import ocds as ocds_queries
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.web import PUBLIC_POLICY, actor, guard, now, public_base, settings


@pages.get("/tenders/<uuid:tender_id>/ocds.json")
@guard(PUBLIC_POLICY)
def tender_record(tender_id: UUID) -> Any:
    """One tender's record package: all its releases, and their sum."""
    base = public_base()
    with reading(actor(), now()) as work:
        data = ocds_queries.tender_data(work, tender_id, prefix=settings().ocid_prefix, base=base)
    uri = base + url_for("procurement.tender_record", tender_id=tender_id)
    releases = [one for _, one in data.releases]
    at = data.releases[-1][0].at
    return _json(ocds.record_package(data.ocid, releases, data.compiled, uri, at, base))


@pages.get("/ocds/releases.json")
@guard(PUBLIC_POLICY)
def ocds_releases() -> Any:
    """A page of all releases, the oldest first; ``links.next`` leads on while there are more."""
    base, after = public_base(), _cursor()
    with reading(actor(), now()) as work:
        acts = ocds_queries.public_acts(work, after)
        owners = ocds_queries.tenders_of(work, acts)
        data = {
            tender_id: ocds_queries.tender_data(work, tender_id, prefix=settings().ocid_prefix, base=base)
            for tender_id in dict.fromkeys(owners.values())
        }
    by_act = {act.id: one for each in data.values() for act, one in each.releases}
    here = url_for("procurement.ocds_releases", cursor=after)
    package = ocds.release_package([by_act[one.id] for one in acts], base + here, now(), base)
    if len(acts) == ocds_queries.PAGE:
        package["links"] = {"next": base + url_for("procurement.ocds_releases", cursor=acts[-1].id)}
    return _json(package)


def _cursor() -> UUID | None:
    try:
        return UUID(request.args["cursor"]) if request.args.get("cursor") else None
    except ValueError as error:
        raise NotFound from error


def _json(package: dict[str, Any]) -> Response:
    answer = Response(json.dumps(package, ensure_ascii=False), mimetype="application/json")
    # Anybody's page may read it.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
