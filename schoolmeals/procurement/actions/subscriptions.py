"""Letters about tenders: asked for, confirmed from the letter itself, and ended with one click. No account is needed.

The link in a letter carries a token; the table has its hash alone. The token is made from the row's id with a key of
the server, so that each later letter can carry it too.
"""

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, update

from schoolmeals import audit, identity, mail
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.errors import N_, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.keys import derive_key, keyed_hash, token_hash
from schoolmeals.mail import letters_key
from schoolmeals.procurement.access import permitted_in
from schoolmeals.procurement.models import Subscription, Tender
from schoolmeals.procurement.queries.subscriptions import subscription_of
from schoolmeals.procurement.rules.news import (
    CONFIRM_WITHIN,
    KEPT_AFTER_END,
    NewSubscription,
    normal_email,
    subscription_problems,
)
from schoolmeals.verdicts import Refused

PER_ADDRESS: Final = 20
PER_EMAIL: Final = 3


@dataclass(frozen=True, slots=True)
class NewsKeys:
    """What letters about tenders need of the server's one secret, and where their links lead."""

    letters: bytes
    tokens: bytes
    base_url: str

    @classmethod
    def of(cls, secret: str, base_url: str) -> "NewsKeys":
        """The keys of an installation's ``secret_key``."""
        return cls(letters_key(secret), derive_key(secret, "tender subscriptions"), base_url.rstrip("/"))

    def token(self, subscription_id: UUID) -> str:
        """The token of a subscription's links."""
        return base64.urlsafe_b64encode(keyed_hash(self.tokens, f"token {subscription_id}")).decode().rstrip("=")

    def link(self, subscription_id: UUID) -> str:
        """Where a subscription is confirmed and ended."""
        return f"{self.base_url}/tenders/subscriptions/{self.token(subscription_id)}"


def subscribe(work: Work, wanted: NewSubscription, *, keys: NewsKeys, address: str, about: str) -> Refused | None:
    """Send a letter with the link that begins the subscription; ``about`` says in words what it is about.

    Nothing tells whether the address has one already. Refused ``too-many-attempts`` where one place, or one address,
    asks too often; as a value, so that the count is kept. Raises Invalid, NotFound for a tender that nobody sees.
    """
    permitted_in(work, "subscribe")
    problems = subscription_problems(wanted)
    email = normal_email(wanted.email)
    if problems or email is None:
        raise Invalid(fields=problems)
    if wanted.tender_id is not None:
        tender = work.session.get(Tender, wanted.tender_id)
        if tender is None or tender.published_at is None:
            raise NotFound
    refused = _spend(work, keys, f"place {address}", PER_ADDRESS) or _spend(work, keys, f"to {email}", PER_EMAIL)
    if refused is not None:
        return refused
    row = Subscription(
        id=(made := new_id(work.now)),
        tender_id=wanted.tender_id,
        search=wanted.search,
        email=email,
        language=wanted.language,
        token_hash=token_hash(keys.token(made)),
        made_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    mail.promise(
        work,
        to=email,
        language=wanted.language,
        subject=CONFIRM_SUBJECT,
        text=CONFIRM_TEXT,
        key=keys.letters,
        params={"about": about, "address": keys.link(made)},
        good_until=work.now + CONFIRM_WITHIN,
    )
    _record(work, "procurement.subscribe", row)
    return None


def confirm_subscription(work: Work, token: str) -> None:
    """Begin a subscription from its letter; once more changes nothing. Raises NotFound, also a week later."""
    permitted_in(work, "confirm_subscription")
    row = subscription_of(work, token)
    if row.confirmed_at is None:
        row.confirmed_at = work.now
        work.session.flush()
        _record(work, "procurement.confirm-subscription", row)


def unsubscribe(work: Work, token: str) -> None:
    """End a subscription from any of its letters; once more changes nothing. Raises NotFound."""
    permitted_in(work, "unsubscribe")
    row = subscription_of(work, token)
    if row.ended_at is None:
        row.ended_at = work.now
        work.session.flush()
        _record(work, "procurement.unsubscribe", row)


def forget_subscriptions(work: Work) -> int:
    """Erase the addresses of those who never confirmed in time, or ended long ago; gives their number."""
    permitted_in(work, "forget_subscriptions")
    never = (Subscription.confirmed_at.is_(None)) & (Subscription.made_at < work.now - CONFIRM_WITHIN)
    ended = Subscription.ended_at < work.now - KEPT_AFTER_END
    erased = update(Subscription).where(or_(never, ended), Subscription.email != "")
    gone = work.session.scalars(erased.values(email="", ended_at=work.now).returning(Subscription.id)).all()
    if gone:
        audit.record(work, "procurement.forget-subscriptions", Subject("subscription"), {"rows": len(gone)})
    return len(gone)


def _spend(work: Work, keys: NewsKeys, name: str, limit: int) -> Refused | None:
    key = keyed_hash(keys.tokens, name)
    per, block = timedelta(hours=12), timedelta(hours=1)
    return identity.spend_attempt(work, "tender-subscription", key, limit=limit, per=per, block=block)


def _record(work: Work, action: str, row: Subscription) -> None:
    # Never the address: the log is for ever.
    audit.record(work, action, Subject("subscription", row.id), {"tender": row.tender_id, "search": row.search})


CONFIRM_SUBJECT: Final = N_("Confirm: news of tenders")
CONFIRM_TEXT: Final = N_(
    "Hello!\n\n"
    "Somebody asked for letters to this address about: %(about)s\n\n"
    "If it was you, open this link within 7 days and confirm:\n\n%(address)s\n\n"
    "If it was not you, do nothing: no letter will follow."
)
