"""Pages of the canteen room, one file for each group of doors: the till, menus, the school's day, the city."""

from schoolmeals.actors import Role
from schoolmeals.canteen.views import till
from schoolmeals.canteen.views.blueprint import pages, till_pages
from schoolmeals.errors import N_
from schoolmeals.web import NavItem, roles

pages.register_blueprint(till_pages)
navigation: tuple[NavItem, ...] = ()

__all__ = ["navigation", "pages", "till"]
