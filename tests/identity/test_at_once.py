"""One invitation, two people, one moment. Beside the promise the same run without its lock, which must break it."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work, transaction
from schoolmeals.identity.actions import invitations
from schoolmeals.identity.actions.invitations import accept_invitation, invite
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Invitation, RoleGrant
from tests.factories import session
from tests.factories.identity import OrganisationFactory, PersonFactory, actor_of

KEYS = Keyring.of("only-for-tests-only-for-tests-only-for-tests")
AtOnce = Callable[..., list[Any]]


def both_accept(do: Any, at_once: AtOnce, clock: MovableClock) -> tuple[list[Any], int]:
    """How it came out for each of the two, and how many have the role afterwards."""
    school = OrganisationFactory.create().id
    _, code = do(invite, school, Role.CASHIER, "Somebody", keys=KEYS)

    def accepting(number: int) -> Callable[[], Any]:
        who = actor_of(PersonFactory.create().id)

        def deed() -> Any:
            with transaction(who, clock()) as work:
                return accept_invitation(work, code, keys=KEYS, address=f"203.0.113.{number}")

        return deed

    outcomes = at_once(accepting(1), accepting(2))
    holders = session().scalars(select(RoleGrant).where(RoleGrant.organisation_id == school)).all()
    return sorted("in" if one is None else one.code for one in outcomes), len(holders)


def test_an_invitation_lets_one_of_two_in(app: Flask, do: Any, at_once: AtOnce, clock: MovableClock) -> None:
    assert both_accept(do, at_once, clock) == (["in", "wrong-code"], 1)


def test_without_its_lock_it_lets_both_in(
    app: Flask, do: Any, at_once: AtOnce, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug of the test above: both look before either has written."""
    meeting = Barrier(2)

    def look_only(work: Work, code_hash: bytes) -> Invitation | None:
        found = work.session.scalar(select(Invitation).where(Invitation.code_hash == code_hash))
        meeting.wait(timeout=20)
        return found

    monkeypatch.setattr(invitations, "_lock_standing", look_only)
    assert both_accept(do, at_once, clock) == (["in", "in"], 2)
