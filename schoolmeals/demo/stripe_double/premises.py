"""What the parts of one double share."""

from dataclasses import dataclass
from typing import Final

from schoolmeals.clock import Clock
from schoolmeals.demo.stripe_double.store import Store
from schoolmeals.wallet.stripe_gateway import API_VERSION

PAGES: Final = "/pay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """``public_url`` is where people reach the double, without a slash at its end. The keys are its one merchant's."""

    store: Store
    clock: Clock
    public_url: str
    api_key: str
    webhook_secret: str
    api_version: str = API_VERSION

    @property
    def page_url(self) -> str:
        return self.public_url + PAGES
