"""The register of tenure: who has held which office, and who is over a limit."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.procurement.models import Tenure, TenureException
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.tenure import Exemption, Span, over_limit
from schoolmeals.verdicts import Refused


@dataclass(frozen=True, slots=True)
class TenureFacts:
    """A line of the register. It is public."""

    id: UUID
    office: str
    organisation_id: UUID
    person_id: UUID
    person_name: str
    tender_id: UUID | None
    started_on: date
    ended_on: date | None
    source: str


@dataclass(frozen=True, slots=True)
class ExceptionFacts:
    """A published exception."""

    id: UUID
    office: str
    organisation_id: UUID
    person_id: UUID
    person_name: str
    reason: dict[str, str]
    until: date


def tenures(work: Work, organisation_id: UUID) -> list[TenureFacts]:
    """The register of an organisation, the latest first. Public."""
    found = select(Tenure).where(Tenure.organisation_id == organisation_id)
    rows = list(work.session.scalars(found.order_by(Tenure.started_on.desc(), Tenure.id.desc())))
    names = identity.people(work, {row.person_id for row in rows})
    return [
        TenureFacts(
            row.id,
            row.office,
            row.organisation_id,
            row.person_id,
            names[row.person_id].name,
            row.tender_id,
            row.started_on,
            row.ended_on,
            row.source,
        )
        for row in rows
    ]


def tenure_exceptions(work: Work, organisation_id: UUID) -> list[ExceptionFacts]:
    """The published exceptions of an organisation, the latest first. Public."""
    found = select(TenureException).where(TenureException.organisation_id == organisation_id)
    rows = list(work.session.scalars(found.order_by(TenureException.published_at.desc(), TenureException.id)))
    names = identity.people(work, {row.person_id for row in rows})
    return [
        ExceptionFacts(
            row.id, row.office, row.organisation_id, row.person_id, names[row.person_id].name, row.reason, row.until
        )
        for row in rows
    ]


def over_limits(
    work: Work, organisation_id: UUID, office: str, profile: Profile, person_ids: Collection[UUID]
) -> dict[UUID, Refused]:
    """Who of these people could not be appointed to an office today, and why; three statements at most."""
    spans: dict[UUID, list[Span]] = {person_id: [] for person_id in person_ids}
    exemptions: dict[UUID, list[Exemption]] = {}
    for row in work.session.scalars(
        select(Tenure).where(Tenure.organisation_id == organisation_id, Tenure.person_id.in_(spans))
    ):
        # Whoever chaired was a member too.
        was = office if office == "commission-member" and row.office == "commission-chair" else row.office
        spans[row.person_id].append(Span(was, row.started_on, row.ended_on))
    for one in work.session.scalars(
        select(TenureException).where(
            TenureException.organisation_id == organisation_id, TenureException.person_id.in_(spans)
        )
    ):
        exemptions.setdefault(one.person_id, []).append(Exemption(one.office, one.until))
    return over_limit(spans, exemptions, office, profile.tenure_limit(office), work.today)
