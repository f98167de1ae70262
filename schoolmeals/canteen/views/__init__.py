"""Pages of the canteen room, one file for each group of doors: the till, menus, the school's day, the city."""

from schoolmeals.actors import Role
from schoolmeals.canteen.views import city, day, imports, menus, sittings, till
from schoolmeals.canteen.views.blueprint import pages, till_pages
from schoolmeals.canteen.views.city import CITY
from schoolmeals.errors import N_
from schoolmeals.web import NavItem, roles

pages.register_blueprint(till_pages)
navigation: tuple[NavItem, ...] = (
    NavItem("canteen.city", N_("City"), CITY),
    NavItem("canteen.day", N_("Day"), roles(Role.SCHOOL_OFFICE)),
    NavItem("canteen.menu", N_("Menu"), roles(Role.SCHOOL_OFFICE)),
)

__all__ = ["city", "day", "imports", "menus", "navigation", "pages", "sittings", "till"]
