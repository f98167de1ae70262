"""What the roll decides: how names are cleaned and sorted, what a card's number is, who must confirm what. All pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.keys import keyed_hash

EU_ALLERGENS: Final = (
    "gluten",
    "crustaceans",
    "eggs",
    "fish",
    "peanuts",
    "soybeans",
    "milk",
    "nuts",
    "celery",
    "mustard",
    "sesame",
    "sulphites",
    "lupin",
    "molluscs",
)
"""The 14 groups of Regulation (EU) 1169/2011, Annex II, in its order."""

OTHER: Final = "other:"
"""The prefix of an allergen in free words."""

SEVERITIES: Final = ("certified", "intolerance", "wish")
RELATIONS: Final = ("mother", "father", "guardian", "relative")
LISTED_RELATIONS: Final = ("parent", "guardian", "relative")
"""The relations of the school's list, as OneRoster knows them."""
BLOCK_REASONS: Final = ("lost", "found-kept", "office")

NAME_LENGTH: Final = 100
NOTE_LENGTH: Final = 500
CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
QR_PREFIX: Final = "sm1:"
QR_CHARACTERS: Final = 26
CODE_CHARACTERS: Final = 10
CODE_LASTS: Final = timedelta(days=60)
CLAIM_LIMIT: Final = 10
CLAIM_WINDOW: Final = timedelta(minutes=15)

MOST_LEAVERS_PERCENT: Final = 20
"""Above this share of the roll, a file is more likely a part of the roll than the news that so many have left."""

ROWS_AT_ONCE: Final = 2_000
"""A longer roll is written by the worker, while the page shows how far it has come."""

_KAZAKH: Final = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"
_ORDER: Final = {letter: place for place, letter in enumerate(_KAZAKH + "abcdefghijklmnopqrstuvwxyz0123456789")}
_NO_ZERO: Final = [f"{ten}{one}" for ten in range(1, 10) for one in range(1, 10)]
_KEPT_FORMATS: Final = "\u200c\u200d"
_LOOKALIKES: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V", "-": None, " ": None})
_SEPARATORS: Final = re.compile(r"[\s:.\-]+")
_CLASS: Final = re.compile(r"^([0-9]{1,2})\s*[-–]?\s*[«\"“„']?\s*(\w{0,12})\s*[»\"”']?$")


def cleaned(text: str) -> str:
    """``text`` in NFC without control characters and without invisible ones, but for the joiners of real scripts.

    Characters that turn the direction of writing would let one name look like another.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    # White space first becomes plain, or it would go with the control characters; then what is invisible goes; and only
    # then are gaps closed, because something invisible may have stood in one.
    plain = re.sub(r"\s", " ", text)
    kept = (one for one in plain if one in _KEPT_FORMATS or unicodedata.category(one) not in ("Cc", "Cf", "Cs"))
    return re.sub(r" +", " ", unicodedata.normalize("NFC", "".join(kept))).strip()


def sort_key(text: str) -> str:
    """A key in ASCII digits that sorts as the Kazakh alphabet does, then Latin letters, then digits.

    Each letter is two digits from 1 to 9 and each gap between words a 0, so that any database sorts it alike, whatever
    its collation, and a word can be looked for by its beginning.
    """
    words = re.findall(r"[^\W_]+", cleaned(text).lower())
    return "0".join("".join(_NO_ZERO[_ORDER.get(letter, len(_NO_ZERO) - 1)] for letter in word) for word in words)


def full_name(surname: str, given_name: str, patronymic: str = "") -> str:
    """Surname first, as lists have it."""
    return " ".join(part for part in (surname, given_name, patronymic) if part)


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class: its year (0 is the pre-school year) and what tells it from others of that year."""

    grade: int
    letter: str

    @property
    def name(self) -> str:
        """As it is written on doors: ``5 «Ә»``."""
        return f"{self.grade} «{self.letter}»" if self.letter else str(self.grade)

    @property
    def key(self) -> str:
        """The same for every way of writing it."""
        return f"class-{self.grade}-{self.letter.casefold()}"


def class_name(text: str) -> ClassName | None:
    """The class that ``text`` means (``5Ә``, ``5-ә``, ``5 "Ә"``), or None."""
    found = _CLASS.match(cleaned(text))
    if found is None or int(found[1]) > 12:
        return None
    letter = found[2]
    return ClassName(int(found[1]), letter.upper() if len(letter) <= 2 else letter)


@dataclass(frozen=True, slots=True)
class CardNumber:
    """What a reader reads: ``iso14443`` with its UID in upper-case hex, or ``qr`` with the text of our own cards."""

    kind: str
    text: str

    @property
    def label(self) -> str:
        """What people may see of it."""
        return f"…{self.text[-4:]}"


def card_number(text: str) -> CardNumber:
    """The card's number in its one form. Raises Invalid ``card-number`` for what is no number of a card.

    A UID (ISO 14443-3) has 4, 7 or 10 bytes. Readers that act as a keyboard type it in hex with or without separators,
    or the four bytes as ten decimal digits.
    """
    typed = cleaned(text).upper()
    if typed.startswith(QR_PREFIX.upper()):
        own = typed[len(QR_PREFIX) :].translate(_LOOKALIKES)
        if len(own) == QR_CHARACTERS and set(own) <= set(CROCKFORD):
            return CardNumber("qr", QR_PREFIX + own)
        raise _no_number()
    uid = _SEPARATORS.sub("", typed)
    if re.fullmatch(r"[0-9]{10}", uid) and int(uid) < 2**32:
        uid = f"{int(uid):08X}"
    if not re.fullmatch(r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}", uid) or not uid.strip("0"):
        raise _no_number()
    return CardNumber("iso14443", uid)


def enrollable(number: CardNumber) -> CardNumber:
    """``number``, where it stays the same from one tap to the next. Raises Invalid ``card-number-changes``.

    A four-byte UID that begins with 08 is drawn anew by the chip at each tap (ISO 14443-3, 6.5.4): phones do that.
    """
    if number.kind == "iso14443" and len(number.text) == 8 and number.text.startswith("08"):
        sentence = N_("This card or phone shows another number at each tap. Take another card.")
        raise Invalid("card-number-changes", sentence, fields={"number": [FieldProblem.of("changes", sentence)]})
    return number


def _no_number() -> Invalid:
    sentence = N_("This is not the number of a card. Hold the card to the reader once more.")
    return Invalid("card-number", sentence, fields={"number": [FieldProblem.of("card-number", sentence)]})


def number_hash(key: bytes, number: str) -> bytes:
    """The 32 bytes under which a card's number is kept. Raises Invalid ``card-number``."""
    return keyed_hash(key, card_number(number).text)


def in_crockford(random: bytes, characters: int) -> str:
    """``characters`` letters and digits that cannot be mistaken for one another, from at least as many random bytes."""
    assert len(random) >= characters
    return "".join(CROCKFORD[byte % 32] for byte in random[:characters])


def shown_code(code: str) -> str:
    """A claim code as it is printed: ``ABCDE-12345``."""
    return f"{code[:5]}-{code[5:]}"


def typed_code(text: str) -> str:
    """A claim code as it was typed, in its one form. Raises Invalid ``claim-code``."""
    code = cleaned(text).upper().translate(_LOOKALIKES)
    if len(code) != CODE_CHARACTERS or not set(code) <= set(CROCKFORD):
        sentence = N_("The code has ten letters and digits, as on the paper from the school.")
        raise Invalid("claim-code", sentence, fields={"code": [FieldProblem.of("claim-code", sentence)]})
    return code


def must_be_confirmed(*, on_roll: int, leaving: int) -> bool:
    """Whether so many would leave that the file looks like a part of the roll."""
    return leaving * 100 > on_roll * MOST_LEAVERS_PERCENT


def known_allergen(allergen: str) -> bool:
    """Whether ``allergen`` is one of the 14 codes, or free words with their prefix."""
    return allergen in EU_ALLERGENS or (allergen.startswith(OTHER) and 0 < len(allergen) - len(OTHER) <= NAME_LENGTH)
