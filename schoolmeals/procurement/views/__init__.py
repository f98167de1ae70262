"""Pages of the tenders' room, one file for each group of doors."""

from schoolmeals.errors import N_
from schoolmeals.procurement.views import public
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.web import PUBLIC_POLICY, NavItem

navigation: tuple[NavItem, ...] = (NavItem("procurement.tenders", N_("Tenders"), PUBLIC_POLICY),)

__all__ = ["navigation", "pages", "public"]
