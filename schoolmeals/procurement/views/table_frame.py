"""What the pages at the commission's table share: their door, the local clock, and choices made in forms."""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.actors import Role
from schoolmeals.errors import NotFound
from schoolmeals.web import frame, roles

TABLE: Final = roles(Role.COMMISSION_MEMBER, Role.PROCUREMENT_OFFICER, Role.CITY_ADMIN, Role.AUDITOR)
"""Members, the secretary (an officer), and those who watch over them. The queries say whose tender it is."""
DECIDERS: Final = roles(Role.COMMISSION_MEMBER, Role.PROCUREMENT_OFFICER)


def local_zone() -> ZoneInfo:
    """Where the country's midnight is."""
    return frame().zone


def uuid_of(text: str) -> UUID:
    """An id in a form. Raises NotFound: whoever sends another has made up the form."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error
