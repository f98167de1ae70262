"""Pages of the identity room, one file for each group of doors."""

from schoolmeals.actors import Role
from schoolmeals.errors import N_
from schoolmeals.identity.views import calendar, letters, me, members, organisations, passkeys, sign_in, till, tills
from schoolmeals.identity.views.frame import pages
from schoolmeals.web import SIGNED_IN, NavItem, roles

navigation: tuple[NavItem, ...] = (
    NavItem("identity.people", N_("People"), roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)),
    NavItem("identity.schools", N_("Schools"), roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)),
    NavItem("identity.me", N_("About me"), SIGNED_IN),
    NavItem("identity.sign_out", N_("Sign out"), SIGNED_IN, post=True),
)

__all__ = [
    "calendar",
    "letters",
    "me",
    "members",
    "navigation",
    "organisations",
    "pages",
    "passkeys",
    "sign_in",
    "till",
    "tills",
]
