"""Pages of the identity room, one file for each group of doors."""

from schoolmeals.actors import ActorKind, Role
from schoolmeals.errors import N_
from schoolmeals.identity.views import (
    calendar,
    letters,
    me,
    members,
    new_password,
    organisations,
    passkeys,
    proof,
    sign_in,
    till,
    tills,
    way_in,
)
from schoolmeals.identity.views.frame import pages
from schoolmeals.web import HALF_SIGNED_IN, SIGNED_IN, NavItem, Policy, roles

STRANGERS = Policy("strangers", lambda who: who.kind is ActorKind.PUBLIC)

navigation: tuple[NavItem, ...] = (
    NavItem("identity.people", N_("People"), roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)),
    NavItem("identity.schools", N_("Schools"), roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)),
    NavItem("identity.me", N_("About me"), SIGNED_IN),
    NavItem("identity.sign_in", N_("Sign in"), STRANGERS),
    NavItem("identity.sign_out", N_("Sign out"), HALF_SIGNED_IN, post=True),
)

__all__ = [
    "calendar",
    "letters",
    "me",
    "members",
    "navigation",
    "new_password",
    "organisations",
    "pages",
    "passkeys",
    "proof",
    "sign_in",
    "till",
    "tills",
    "way_in",
]
