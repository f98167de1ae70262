"""The doors' common frame: who is there, what time it is, who may pass, and how a refusal is told.

*Guard*: the policy that every route carries. *Problem*: a refusal as a page or as problem+json. Other rooms' views use
``actor()``, ``now()``, ``settings()``, ``guard(...)`` and ``render(...)``; nothing here knows a rule of theirs.
"""

from schoolmeals.web.api import ApiBlueprint, Schema
from schoolmeals.web.frame import Frame, actor, caller_address, frame, language, now, public_base, render, settings
from schoolmeals.web.guards import (
    DEVICE,
    HALF_SIGNED_IN,
    PUBLIC_POLICY,
    SETTING_UP,
    SIGNED_IN,
    Policy,
    guard,
    roles,
)
from schoolmeals.web.page import NavItem

__all__ = [
    "DEVICE",
    "HALF_SIGNED_IN",
    "PUBLIC_POLICY",
    "SETTING_UP",
    "SIGNED_IN",
    "ApiBlueprint",
    "Frame",
    "NavItem",
    "Policy",
    "Schema",
    "actor",
    "caller_address",
    "frame",
    "guard",
    "language",
    "now",
    "public_base",
    "render",
    "roles",
    "settings",
]
