"""Who may do deeds that are about no tender, and who may read what the public cannot."""

from uuid import UUID

from schoolmeals import identity
from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.rules.permissions import Party, decide
from schoolmeals.procurement.rules.stages import TenderStage


def permitted_in(work: Work, deed: str, organisation_id: UUID | None = None) -> None:
    """Raise NotAllowed unless the actor may do ``deed`` for an organisation. Such deeds wait for no stage."""
    refusal = decide(deed, TenderStage.COMPLETE, parties_in(work, organisation_id))
    if refusal is not None:
        raise refusal


def audits_the_city(work: Work) -> bool:
    """Whether the actor is the city's own auditor, who may read drafts. The auditors of a body that reviews complaints
    are the state's: they see what is published, or they would know a tender before those who compete for it.
    """
    held = work.actor.schools_as(Role.AUDITOR)
    return bool(held) and any(one.id in held for one in identity.organisations(work, ["city"]))


def parties_in(work: Work, organisation_id: UUID | None) -> frozenset[Party]:
    """What the actor is to an organisation's procurement as a whole."""
    if work.actor.kind is ActorKind.SYSTEM:
        return frozenset({Party.SYSTEM})
    if work.actor.kind is not ActorKind.PERSON:
        return frozenset({Party.PUBLIC})
    held = {
        Party.OFFICER: organisation_id in work.actor.schools_as(Role.PROCUREMENT_OFFICER),
        Party.CITY_ADMIN: work.actor.has_role(Role.CITY_ADMIN),
        Party.AUDITOR: audits_the_city(work),
        Party.SUPPLIER: work.actor.has_role(Role.SUPPLIER),
        Party.BUYER: organisation_id in work.actor.schools_as(Role.SCHOOL_OFFICE),
    }
    return frozenset({party for party, holds in held.items() if holds} | {Party.PERSON, Party.PUBLIC})


def require_supplier(work: Work, organisation_id: UUID) -> None:
    """Raise NotFound unless the actor acts for this supplier."""
    if organisation_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound
