"""The room's own words for what is stored as a code."""

from typing import Final

from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.errors import N_

ROLE_NAMES: Final = {
    Role.PARENT: N_("Parent"),
    Role.CASHIER: N_("Cashier"),
    Role.SCHOOL_OFFICE: N_("School office"),
    Role.PROCUREMENT_OFFICER: N_("Procurement officer"),
    Role.COMMISSION_MEMBER: N_("Commission member"),
    Role.SUPPLIER: N_("Supplier"),
    Role.AUDITOR: N_("Auditor"),
    Role.CITY_ADMIN: N_("City admin"),
}
NATURE_NAMES: Final = {
    "holiday": N_("Holiday"),
    "break": N_("School break"),
    "school-day": N_("School day"),
}
KIND_NAMES: Final = {
    "city": N_("City department"),
    "school": N_("School"),
    "supplier": N_("Supplier"),
    "state": N_("State body"),
}


def role_name(role: Role) -> str:
    """A role in the reader's language."""
    return str(gettext(ROLE_NAMES[role]))


def nature_name(nature: str) -> str:
    """What a day of the calendar is, in the reader's language."""
    return str(gettext(NATURE_NAMES[nature]))
