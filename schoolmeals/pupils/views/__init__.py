"""Pages of the pupils room, one file for each group of doors."""

from schoolmeals.actors import Role
from schoolmeals.errors import N_
from schoolmeals.pupils.views import cards, guardians, imports, listed, photos, roll
from schoolmeals.pupils.views.frame import OFFICE, pages
from schoolmeals.web import NavItem, roles

navigation: tuple[NavItem, ...] = (
    NavItem("pupils.start", N_("Pupils"), OFFICE),
    NavItem("pupils.claim_page", N_("Add a child"), roles(Role.PARENT)),
)

__all__ = ["cards", "guardians", "imports", "listed", "navigation", "pages", "photos", "roll"]
