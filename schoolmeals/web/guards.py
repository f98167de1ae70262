"""Who may pass a door at all. What they may see behind it is the business of queries, which are scoped to the actor."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, TypeVar, cast

from flask import redirect, request, url_for

from schoolmeals.actors import Actor, ActorKind, Awaits, Role
from schoolmeals.errors import N_, NotAllowed, Refusal
from schoolmeals.web.frame import actor

View = TypeVar("View", bound=Callable[..., Any])


class SignInNeeded(Refusal):
    """Nobody is signed in and the door is not public. A page answers with the sign-in page, the API with 401."""

    title = N_("Sign in")

    def __init__(self) -> None:
        super().__init__("sign-in-needed", N_("Sign in to go on."))


class SecondFactorNeeded(Refusal):
    """Somebody is signed in whose role needs a second factor. A page answers with the one that leads on."""

    title = N_("One more step")

    def __init__(self) -> None:
        super().__init__("second-factor-needed", N_("Your role needs a second factor. Sign in on the website first."))


@dataclass(frozen=True, slots=True)
class Policy:
    """A door's rule. ``name`` appears in ``tests/house/authz.yaml``; ``admits`` decides. Whoever is half signed in
    passes only where ``waiting`` names what they await.
    """

    name: str
    admits: Callable[[Actor], bool]
    waiting: frozenset[Awaits] = frozenset()

    def check(self, who: Actor) -> None:
        """Raise SignInNeeded for a stranger at a closed door, SecondFactorNeeded for somebody who is half signed in,
        NotAllowed for somebody whose door it is not.
        """
        if who.awaits is not None and who.awaits not in self.waiting:
            raise SecondFactorNeeded
        if self.admits(who):
            return
        if who.kind is ActorKind.PUBLIC:
            raise SignInNeeded
        raise NotAllowed


PUBLIC_POLICY: Final = Policy("public", lambda _who: True, frozenset(Awaits))
SIGNED_IN: Final = Policy("signed-in", lambda who: who.kind is ActorKind.PERSON)
SETTING_UP: Final = Policy("setting-up", SIGNED_IN.admits, frozenset({Awaits.SET_UP}))
"""Whoever is signed in, and whoever must set up a second factor first: the doors where that is done."""
HALF_SIGNED_IN: Final = Policy("half-signed-in", SIGNED_IN.admits, frozenset(Awaits))
"""Whoever is signed in, whatever they still await."""
DEVICE: Final = Policy("device", lambda who: who.kind is ActorKind.DEVICE)


def roles(*allowed: Role) -> Policy:
    """The door of people who hold one of ``allowed`` anywhere."""
    wanted = frozenset(allowed)
    return Policy(
        "roles:" + "|".join(sorted(wanted)),
        lambda who: who.kind is ActorKind.PERSON and any(grant.role in wanted for grant in who.grants),
    )


def guard(policy: Policy) -> Callable[[View], View]:
    """Put ``policy`` on a view or on a method of a MethodView. A test walks every route and looks for it."""

    def put(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            policy.check(actor())
            return view(*args, **kwargs)

        guarded.guard_policy = policy  # type: ignore[attr-defined]
        return cast(View, guarded)

    return put


def to_sign_in() -> Any:
    """Send a stranger to the sign-in page, and afterwards back to where they wanted to go."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("identity.sign_in", next=wanted), code=303)


def to_second_step() -> Any:
    """Send somebody who is half signed in to the page that leads on."""
    return redirect(url_for("identity.second_step"), code=303)
