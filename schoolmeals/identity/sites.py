"""Which site this is to the browsers that keep passkeys for it."""

from urllib.parse import urlsplit

from flask_babel import gettext

from schoolmeals.identity.actions.passkeys import Site
from schoolmeals.web import public_base


def present_site() -> Site:
    """The site that passkeys are made for."""
    address = urlsplit(public_base())
    return Site(gettext("School meals"), f"{address.scheme}://{address.netloc}")


def passkeys_can_work() -> bool:
    """Browsers bind passkeys to a name; an address in digits has none."""
    domain = present_site().domain
    return not (domain.replace(".", "").isdigit() or ":" in domain)
