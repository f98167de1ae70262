"""The JSON API of the identity room: a bearer token for a program, what it is, and where else one is signed in."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from schoolmeals.actors import PUBLIC
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, NotAllowed
from schoolmeals.identity.actions.sessions import (
    Caller,
    SecondFactorNeeded,
    SignedIn,
    end_session,
    finish_sign_in,
    sign_in,
)
from schoolmeals.identity.attempts import too_many
from schoolmeals.identity.models import SignInSession
from schoolmeals.identity.queries import me, my_passkeys, my_sessions
from schoolmeals.identity.schemas import MeSchema, NewSessionSchema, SessionSchema, SignInSchema
from schoolmeals.identity.views.frame import caller, keyring
from schoolmeals.identity.visitors import present_session_id
from schoolmeals.verdicts import Refused
from schoolmeals.web import HALF_SIGNED_IN, PUBLIC_POLICY, SIGNED_IN, ApiBlueprint, actor, guard, now
from schoolmeals.web.security import exempt_from_csrf

api = ApiBlueprint("identity_api", __name__, url_prefix="/api", description=N_("Signing in, and who is signed in"))


@api.route("/session")
class SessionView(MethodView):
    """The present session."""

    # No cookie is read or set here, so there is nothing that a foreign page could misuse.
    @exempt_from_csrf
    @guard(PUBLIC_POLICY)
    @api.arguments(SignInSchema)
    @api.response(201, NewSessionSchema)
    @api.alt_response(403, description="the password, contact or code is not right, or a code is needed")
    @api.alt_response(429, description="too many attempts; Retry-After says when to come back")
    def post(self, sent: dict[str, Any]) -> Any:
        """Sign in. Where there is a second factor, send its code at once: the password alone opens nothing."""
        with transaction(PUBLIC, now()) as work:
            outcome = _signed_in(work, sent, caller(carried_by="bearer"))
        if isinstance(outcome, SignedIn):
            return outcome
        if "retry_after_s" in outcome.facts:
            raise too_many(outcome)
        raise NotAllowed(outcome.code, outcome.sentence)

    @guard(SIGNED_IN)
    @api.response(200, SessionSchema)
    @api.alt_response(401, description="nobody is signed in")
    def get(self) -> Any:
        """This session."""
        with reading(actor(), now()) as look:
            found = my_sessions(look)
        return next(_shown(one) for one in found if one.id == present_session_id())

    @guard(HALF_SIGNED_IN)
    @api.response(204)
    @api.alt_response(401, description="nobody is signed in")
    def delete(self) -> None:
        """Sign out: the token is worthless at once."""
        session_id = present_session_id()
        assert session_id is not None
        with transaction(actor(), now()) as work:
            end_session(work, session_id)


@api.route("/me")
class MeView(MethodView):
    """Whoever is signed in."""

    @guard(SIGNED_IN)
    @api.response(200, MeSchema)
    @api.alt_response(401, description="nobody is signed in")
    def get(self) -> Any:
        """Name, contacts, language and roles."""
        with reading(actor(), now()) as look:
            person = me(look)
            second = person.totp_confirmed_at is not None or bool(my_passkeys(look))
        return {
            "id": person.id,
            "name": person.name,
            "email": person.email,
            "phone": person.phone,
            "language": person.language,
            "has_second_factor": second,
            "grants": sorted(actor().grants, key=lambda grant: (grant.role, str(grant.organisation_id))),
        }


@api.route("/me/sessions")
class SessionsView(MethodView):
    """Where one is signed in."""

    @guard(SIGNED_IN)
    @api.response(200, SessionSchema(many=True))
    @api.alt_response(401, description="nobody is signed in")
    def get(self) -> Any:
        """All standing sessions, the latest used first."""
        with reading(actor(), now()) as look:
            return [_shown(one) for one in my_sessions(look)]


@api.route("/me/sessions/<uuid:session_id>")
class OneSessionView(MethodView):
    """One of one's own sessions."""

    @guard(SIGNED_IN)
    @api.response(204)
    @api.alt_response(401, description="nobody is signed in")
    @api.alt_response(404, description="not one of one's own standing sessions")
    def delete(self, session_id: UUID) -> None:
        """End it at once."""
        with transaction(actor(), now()) as work:
            end_session(work, session_id)


def _signed_in(work: Work, sent: dict[str, Any], caller: Caller) -> SignedIn | Refused:
    """Both steps of signing in at once."""
    outcome = sign_in(work, keyring(), contact=sent["contact"], password=sent["password"], caller=caller)
    if not isinstance(outcome, SecondFactorNeeded):
        return outcome
    if sent["code"] is None:
        return Refused("code-needed", N_("Send a code of your authenticator app as well."))
    return finish_sign_in(work, keyring(), token=outcome.token, code=sent["code"], caller=caller)


def _shown(session: SignInSession) -> dict[str, Any]:
    told = {name: getattr(session, name) for name in SessionSchema().fields if name != "is_this"}
    return told | {"is_this": session.id == present_session_id()}
