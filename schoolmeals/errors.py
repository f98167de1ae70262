"""The ways a deed can end without being done, as one tree.

::

    Refusal
    ├── NotFound      no such thing, or not yours: strangers learn nothing
    ├── NotAllowed    you may see it, but this deed is not yours to do
    ├── Invalid       what was sent cannot be used; ``fields`` says where
    ├── Conflict      it contradicts what is already recorded
    ├── NotNow        the right deed at the wrong moment
    ├── TooMany       too many attempts; ``retry_after_s`` says when to come back
    └── Unavailable   something that we need is away; nothing was done

A refusal is raised where a request cannot go on. A refusal that is itself worth keeping, like a declined
snack at the till, is a value instead: :class:`schoolmeals.verdicts.Refused`.

Every refusal has a stable kebab-case ``code`` for machines and a ``sentence`` for people. The sentence is an English
message id marked with :func:`N_`; it is translated when it is shown, so this module knows no language and no HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


def N_(message: str) -> str:
    """Mark ``message`` for the translation catalogues without translating it here."""
    return message


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: a stable code, an English message id and its parameters."""

    code: str
    sentence: str
    params: Mapping[str, object]

    @classmethod
    def of(cls, code: str, sentence: str, **params: object) -> "FieldProblem":
        return cls(code, sentence, params)


class Refusal(Exception):
    """A request that cannot go on. Nothing of it has been done."""

    title: ClassVar[str] = N_("This could not be done")

    def __init__(self, code: str, sentence: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence
        self.params = params


class NotFound(Refusal):
    """There is no such thing, or the actor has no right to know that there is."""

    title = N_("Not found")

    def __init__(
        self,
        code: str = "not-found",
        sentence: str = N_("We could not find that. Check the address, or go back and choose from the list."),
        **params: object,
    ) -> None:
        super().__init__(code, sentence, **params)


class NotAllowed(Refusal):
    """The actor may know the thing, but not do this to it."""

    title = N_("Not allowed")

    def __init__(
        self,
        code: str = "not-allowed",
        sentence: str = N_("Your role does not allow this. Ask your school office or the city administrator."),
        **params: object,
    ) -> None:
        super().__init__(code, sentence, **params)


class Invalid(Refusal):
    """What was sent cannot be used. ``fields`` maps a field's name to its problems."""

    title = N_("There is a problem")

    def __init__(
        self,
        code: str = "invalid",
        sentence: str = N_("Check the marked fields and send the form again."),
        *,
        fields: Mapping[str, Sequence[FieldProblem]] | None = None,
        **params: object,
    ) -> None:
        super().__init__(code, sentence, **params)
        self.fields: Mapping[str, Sequence[FieldProblem]] = fields or {}


class Conflict(Refusal):
    """The deed contradicts what is already recorded, e.g. the same id with other content."""

    title = N_("This contradicts what is already recorded")


class NotNow(Refusal):
    """The right deed at the wrong moment."""

    title = N_("Not at this moment")


class TooMany(Refusal):
    """Too many attempts. ``retry_after_s`` is in whole seconds."""

    title = N_("Too many attempts")

    def __init__(self, code: str, sentence: str, *, retry_after_s: int, **params: object) -> None:
        super().__init__(code, sentence, retry_after_s=retry_after_s, **params)
        self.retry_after_s = retry_after_s


class Unavailable(Refusal):
    """Something that the deed needs is away. Nothing was done; it can be tried again."""

    title = N_("Not available for the moment")
