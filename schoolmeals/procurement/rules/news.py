"""Who is told by e-mail of what happens to a tender: its subscribers, and those whose search finds a new one. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.acts import PREPARATION, ActKind, is_public
from schoolmeals.procurement.rules.drafting import LANGUAGES, UNKNOWN, Problems

TELL: Final = "procurement.tell_subscribers"
"""The job that tells of one act, named by its id."""
CONFIRM_WITHIN: Final = timedelta(days=7)
KEPT_AFTER_END: Final = timedelta(days=30)
LONGEST_SEARCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """Who wants letters, in which language: about one tender, or about new ones with ``text`` and ``school_id``."""

    email: str
    language: str
    tender_id: UUID | None = None
    text: str = ""
    school_id: UUID | None = None

    @property
    def search(self) -> dict[str, Any] | None:
        """What is stored of a search; None where it is about one tender."""
        if self.tender_id is not None:
            return None
        return {"text": self.text.strip(), "school": str(self.school_id) if self.school_id is not None else None}


def is_told(kind: ActKind) -> bool:
    """Whether subscribers may be told of an act of this kind: those of the public timeline since the publication."""
    return is_public(kind) and kind not in PREPARATION


def normal_email(text: str) -> str | None:
    """An address as mail servers take it; None for what cannot be one."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def subscription_problems(wanted: NewSubscription) -> Problems:
    """What is wrong with a subscription, by field."""
    problems: Problems = {}
    if normal_email(wanted.email) is None:
        problems["email"] = [NO_ADDRESS]
    if wanted.language not in LANGUAGES:
        problems["language"] = [UNKNOWN]
    if len(wanted.text) > LONGEST_SEARCH:
        problems["text"] = [UNKNOWN]
    return problems


def finds(search: Mapping[str, Any], titles: Mapping[str, str], number: str, schools: Collection[UUID]) -> bool:
    """Whether a saved search finds a tender: all its words in a title or the number, and its school among the lots."""
    if search.get("school") and UUID(search["school"]) not in schools:
        return False
    said = " ".join([*titles.values(), number]).casefold()
    return all(word.casefold() in said for word in str(search.get("text", "")).split())


NO_ADDRESS: Final = FieldProblem.of("no-address", N_("Write an e-mail address like name@example.kz."))
