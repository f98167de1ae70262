"""Keeping the register of tenure: who heads a school and who sat in commissions, and published exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from schoolmeals import audit, identity
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotAllowed, NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement.access import permitted_in
from schoolmeals.procurement.models import Tenure, TenureException
from schoolmeals.procurement.profiles import OFFICES, Profile
from schoolmeals.procurement.queries.drafts import ENDS_BEFORE
from schoolmeals.procurement.queries.tenures import over_limits
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenure:
    """A time in office to be noted. ``source``: where it is written, e.g. an order's number and date."""

    office: str
    organisation_id: UUID
    person_id: UUID
    started_on: date
    source: str
    ended_on: date | None = None


def note_tenure(work: Work, tenure: NewTenure, profile: Profile) -> UUID:
    """Write a time in office into the register.

    A school head who is over the limit of ``profile`` is refused without a published exception: NotAllowed
    ``over-tenure-limit``. Raises Invalid, NotFound.
    """
    permitted_in(work, "note_tenure", tenure.organisation_id)
    problems = {
        "office": [] if tenure.office in OFFICES else [UNKNOWN],
        "source": [] if tenure.source.strip() else [NEEDED],
        "ended_on": [] if tenure.ended_on is None or tenure.started_on <= tenure.ended_on else [ENDS_BEFORE],
    }
    if any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})
    _require_person(work, tenure.person_id)
    if tenure.ended_on is None:
        _require_within_limit(work, tenure, profile)
    row = Tenure(
        id=new_id(work.now),
        office=tenure.office,
        organisation_id=tenure.organisation_id,
        person_id=tenure.person_id,
        tender_id=None,
        started_on=tenure.started_on,
        ended_on=tenure.ended_on,
        source=tenure.source.strip(),
        noted_by=work.actor.id,
        noted_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    payload = {"office": row.office, "person": row.person_id, "from": row.started_on, "to": row.ended_on}
    audit.record(work, "procurement.note-tenure", Subject("tenure", row.id), {**payload, "source": row.source})
    return row.id


def end_tenure(work: Work, tenure_id: UUID, ended_on: date) -> None:
    """Note the last day of a time in office. Raises Invalid, NotFound."""
    row = work.session.get(Tenure, tenure_id, with_for_update=True)
    if row is None:
        raise NotFound
    permitted_in(work, "end_tenure", row.organisation_id)
    if ended_on < row.started_on:
        raise Invalid(fields={"ended_on": [ENDS_BEFORE]})
    row.ended_on = ended_on
    work.session.flush()
    audit.record(work, "procurement.end-tenure", Subject("tenure", row.id), {"ended_on": ended_on})


def publish_tenure_exception(
    work: Work,
    *,
    office: str,
    organisation_id: UUID,
    person_id: UUID,
    reason: Mapping[str, str],
    until: date,
    document_sha256: bytes | None = None,
) -> UUID:
    """Tell everybody why somebody may be appointed beyond the limit, and until when. Never taken back.

    Raises Invalid, NotFound.
    """
    permitted_in(work, "publish_tenure_exception", organisation_id)
    problems = {
        "office": [] if office in OFFICES else [UNKNOWN],
        "reason": [] if all(reason.get(language, "").strip() for language in ("kk", "ru")) else [NEEDED],
        "until": [] if until >= work.today else [ENDS_BEFORE],
    }
    if any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})
    _require_person(work, person_id)
    row = TenureException(
        id=new_id(work.now),
        office=office,
        organisation_id=organisation_id,
        person_id=person_id,
        reason=dict(reason),
        document_sha256=document_sha256,
        until=until,
        published_by=work.actor.id,
        published_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    payload = {"office": office, "person": person_id, "reason": dict(reason), "until": until}
    audit.record(work, "procurement.publish-tenure-exception", Subject("tenure-exception", row.id), payload)
    return row.id


def _require_person(work: Work, person_id: UUID) -> None:
    if person_id not in identity.people(work, [person_id]):
        raise NotFound


def _require_within_limit(work: Work, tenure: NewTenure, profile: Profile) -> None:
    refused = over_limits(work, tenure.organisation_id, tenure.office, profile, [tenure.person_id])
    for one in refused.values():
        raise NotAllowed(one.code, one.sentence, **one.facts)
