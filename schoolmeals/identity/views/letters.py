"""The letters that a demo would have sent. It sends none; a visitor opens them here and follows their links."""

from typing import Any

from schoolmeals.actors import SYSTEM
from schoolmeals.database import reading
from schoolmeals.errors import NotFound
from schoolmeals.identity.jobs import spoken
from schoolmeals.identity.views.frame import keyring, pages
from schoolmeals.mail import Letter, letters_kept, words_of
from schoolmeals.web import PUBLIC_POLICY, guard, now, public_base, render, settings


@pages.get("/letters")
@guard(PUBLIC_POLICY)
def letters() -> Any:
    """The latest letters of the demo. Outside it there is no such page."""
    if not settings().demo:
        raise NotFound
    with reading(SYSTEM, now()) as look:
        found = letters_kept(look)
    return render("identity/letters.html", letters=[_shown(one) for one in found])


def _shown(letter: Letter) -> dict[str, Any]:
    words = words_of(letter, keyring().letters)
    subject, text = spoken(words, letter.language)
    # The worker knows the address of the settings; a demo is opened by whatever name its machine has.
    text = text.replace(settings().base_url.rstrip("/"), public_base())
    return {"to": words.to, "subject": subject, "text": text, "at": letter.sent_at, "language": letter.language}
