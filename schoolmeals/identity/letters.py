"""What the room writes to people about their own account."""

from datetime import datetime
from typing import Final

from schoolmeals import mail
from schoolmeals.database import Work
from schoolmeals.errors import N_
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Person

LINK_SUBJECT: Final = N_("A new password for school meals")
LINK_TEXT: Final = N_(
    "Hello, %(name)s!\n\n"
    "Somebody asked for a new password for your account. If it was you, open this link within 30 minutes and choose "
    "one:\n\n%(address)s\n\n"
    "The link opens once. If it was not you, do nothing: your password stays as it is."
)
CODE_GIVEN_SUBJECT: Final = N_("You were given a code for a new password")
CODE_GIVEN_TEXT: Final = N_(
    "Hello, %(name)s!\n\n"
    "The school office or the city admin made a code with which your password can be changed. It is good for 24 hours."
    "\n\nIf you did not ask for it, tell the school office at once."
)
CHANGED_SUBJECT: Final = N_("Your password was changed")
CHANGED_TEXT: Final = N_(
    "Hello, %(name)s!\n\n"
    "The password of your account was changed, and you were signed out everywhere.\n\n"
    "If it was not you, tell the school office at once."
)
FACTOR_REMOVED_SUBJECT: Final = N_("Your second factor was removed")
FACTOR_REMOVED_TEXT: Final = N_(
    "Hello, %(name)s!\n\n"
    "The school office or the city admin removed the authenticator app and the passkeys of your account, and you were "
    "signed out everywhere.\n\n"
    "If you did not ask for it, tell the school office at once."
)


def write(
    work: Work,
    keys: Keyring,
    person: Person,
    subject: str,
    text: str,
    *,
    good_until: datetime | None = None,
    **params: str,
) -> None:
    """Promise a letter in the person's own language, where they have an e-mail address."""
    if person.email is None:
        return
    mail.promise(
        work,
        to=person.email,
        language=person.language,
        subject=subject,
        text=text,
        key=keys.letters,
        params={"name": person.name, **params},
        good_until=good_until,
    )
