"""The wallet room's pages: a purse's own in ``parent_pages``, the school office's in ``cash_desk``,
what a school decides in ``money_rules``."""

from schoolmeals.actors import Role
from schoolmeals.errors import N_
from schoolmeals.wallet import cash_desk, money_rules, parent_pages
from schoolmeals.wallet.blueprint import pages
from schoolmeals.web import NavItem, roles

navigation: tuple[NavItem, ...] = (
    NavItem("wallet.my_cash_desk", N_("Cash desk"), roles(Role.SCHOOL_OFFICE)),
    NavItem("wallet.money_rules", N_("Meals paid later"), roles(Role.CITY_ADMIN)),
)

__all__ = ["cash_desk", "money_rules", "navigation", "pages", "parent_pages"]
