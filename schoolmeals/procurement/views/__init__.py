"""Pages of the tenders' room, one file for each group of doors."""

from schoolmeals.errors import N_
from schoolmeals.procurement.views import commission, drafts, enquiries, plans, public
from schoolmeals.procurement.views import protocols as protocols
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS
from schoolmeals.web import PUBLIC_POLICY, NavItem

navigation: tuple[NavItem, ...] = (
    NavItem("procurement.tenders", N_("Tenders"), PUBLIC_POLICY),
    NavItem("procurement.desk", N_("Work on tenders"), READERS),
)

__all__ = ["commission", "drafts", "enquiries", "navigation", "pages", "plans", "public"]
