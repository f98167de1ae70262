"""Questions and objections about a tender's terms: until when they are taken, and what an answer must speak. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.drafting import LANGUAGES, MUST_SPEAK, NEEDED, UNKNOWN, Problems, check
from schoolmeals.procurement.rules.sections import Field, FieldKind, Section
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.verdicts import Refused

QUESTION: Final = "question"
OBJECTION: Final = "objection"
KINDS: Final = (QUESTION, OBJECTION)
MOST_WAITING: Final = 10
LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEnquiry:
    """What somebody asks. ``id`` is the caller's, so that the same form sent twice asks once."""

    id: UUID
    kind: str
    text: str
    language: str
    lot_id: UUID | None = None


def enquiry_problems(enquiry: NewEnquiry) -> Problems:
    """What is wrong with an enquiry, by field."""
    text = Section("", "", (Field("text", FieldKind.TEXT, "", least=1, most=LONGEST),))
    checked = check(text, {"text": enquiry.text})
    problems: Problems = {**checked.gaps, **checked.faults}
    if enquiry.kind not in KINDS:
        problems["kind"] = [UNKNOWN]
    if enquiry.language not in LANGUAGES:
        problems["language"] = [UNKNOWN]
    return problems


def answer_problems(text: Mapping[str, Any], language: str) -> Problems:
    """An answer speaks Kazakh and Russian, and the language of the question."""
    answer = Section("", "", (Field("text", FieldKind.TEXTS, "", most=LONGEST),))
    faults = check(answer, {"text": text}).faults
    missing = [one for one in dict.fromkeys([*MUST_SPEAK, language]) if not str(text.get(one) or "").strip()]
    return {**{f"text.{one}": [NEEDED] for one in missing}, **faults}


def may_ask(
    kind: str, stage: TenderStage, at: datetime, questions_until: datetime | None, waiting: int
) -> Refused | None:
    """Questions are taken until their term ends, objections while the terms are discussed."""
    if kind == OBJECTION and stage is not TenderStage.DISCUSSION:
        return Refused("objections-over", OBJECTIONS_OVER)
    if questions_until is not None and at > questions_until:
        return Refused("questions-over", QUESTIONS_OVER)
    if waiting >= MOST_WAITING:
        return Refused("too-many-waiting", TOO_MANY, {"most": MOST_WAITING})
    return None


NO_SUCH_LOT: Final = FieldProblem.of("no-such-lot", N_("Choose a lot of this tender, or none."))
QUESTIONS_OVER: Final = N_("The time for questions is over. Its end is written on the tender's page.")
OBJECTIONS_OVER: Final = N_("Objections to the terms are made while they are discussed. Ask a question instead.")
TOO_MANY: Final = N_("%(most)s enquiries of yours wait for an answer in this tender. Wait for one of them first.")
ANSWERED: Final = N_("This enquiry was answered meanwhile. Load the page to read the answer.")
