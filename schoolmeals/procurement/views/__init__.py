"""Pages of the tenders' room, one file for each group of doors."""

from schoolmeals.errors import N_
from schoolmeals.procurement.views import (
    ceremony,
    commission,
    declarations,
    drafts,
    enquiries,
    members,
    openings,
    plans,
    protocols,
    public,
)
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS
from schoolmeals.web import PUBLIC_POLICY, NavItem

navigation: tuple[NavItem, ...] = (
    NavItem("procurement.tenders", N_("Tenders"), PUBLIC_POLICY),
    NavItem("procurement.desk", N_("Work on tenders"), READERS),
    NavItem("procurement.my_seats", N_("My commissions"), members.MEMBERS),
)

__all__ = [
    "ceremony",
    "commission",
    "declarations",
    "drafts",
    "enquiries",
    "members",
    "navigation",
    "openings",
    "pages",
    "plans",
    "protocols",
    "public",
]
