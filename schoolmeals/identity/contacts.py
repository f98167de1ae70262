"""E-mail addresses and phone numbers as people type them, and as we keep them."""

from dataclasses import dataclass
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

COUNTRY: Final = "KZ"
LONGEST: Final = 254


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach somebody; exactly one of the two is set."""

    email: str | None = None
    phone: str | None = None

    @property
    def text(self) -> str:
        """The contact as it is stored."""
        return self.email or self.phone or ""


def email_of(text: str) -> str | None:
    """An e-mail address in lower case, or None where it is none. The network is not asked."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except (EmailNotValidError, ValueError):
        return None


def phone_of(text: str) -> str | None:
    """A phone number in E.164, or None where it is none; a number without a country's code is Kazakhstan's."""
    try:
        number = phonenumbers.parse(text.strip(), COUNTRY)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def contact_of(text: str) -> Contact | None:
    """What somebody typed into "e-mail or phone", or None where it is neither."""
    if len(text) > LONGEST:
        return None
    if "@" in text:
        email = email_of(text)
        return Contact(email=email) if email else None
    phone = phone_of(text)
    return Contact(phone=phone) if phone else None
