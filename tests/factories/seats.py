"""A seat in a commission as rows alone, for the tests of doors."""

from datetime import datetime
from uuid import UUID

from schoolmeals.ids import new_id
from schoolmeals.procurement.models import CommissionSeat, MemberKey, PoolMember
from schoolmeals.procurement.sealing import new_member_key
from tests.factories import saved

ARMOURED = "-----BEGIN AGE ENCRYPTED FILE-----\nonly a test\n-----END AGE ENCRYPTED FILE-----\n"


def new_pool_member(organisation_id: UUID, person_id: UUID, now: datetime) -> UUID:
    """Somebody in an organisation's pool."""
    known = {"person_id": person_id, "surname": "Серікова", "given_name": "Гүлім", "constituency": "parents"}
    about = {"organisation_id": organisation_id, "founder_of": [], "entered_by": person_id, "entered_at": now}
    found: UUID = saved(PoolMember(id=new_id(now), **known, **about)).id
    return found


def new_seat(tender_id: UUID, organisation_id: UUID, person_id: UUID, now: datetime) -> UUID:
    """A member who has accepted, with a published key whose file is kept."""
    recipient = new_member_key()[1]
    row = CommissionSeat(
        id=new_id(now),
        tender_id=tender_id,
        person_id=person_id,
        pool_member_id=new_pool_member(organisation_id, person_id, now),
        name="Серікова Гүлім",
        part="member",
        constituency="parents",
        position=1,
        appointed_at=now,
        accepted_at=now,
        key_public=recipient,
        key_at=now,
    )
    found: UUID = saved(row).id
    saved(MemberKey(seat_id=found, recipient=recipient, key_file=ARMOURED, at=now))
    return found
