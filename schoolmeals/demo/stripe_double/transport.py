"""The ways in and out of a double without a network: the SDK's calls, and the webhooks.

Loads Stripe's SDK when it is imported, which takes half a second; :mod:`schoolmeals.demo.stripe_double` imports it
late.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import stripe
from werkzeug.test import Client

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class WsgiTransport(stripe.HTTPClient):
    """The SDK's transport, straight into a WSGI application of the same process."""

    name = "wsgi"

    def __init__(self, app: "WSGIApplication") -> None:
        super().__init__()
        self._app = app

    def request(  # type: ignore[override]  # The SDK's own subclasses leave out _usage too.
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        parts = urlsplit(url)
        answer = Client(self._app, use_cookies=False).open(
            parts.path,
            base_url=f"{parts.scheme}://{parts.netloc}",
            query_string=parts.query,
            method=method.upper(),
            headers=dict(headers or {}),
            data=post_data,
        )
        with answer:
            # Werkzeug's headers are a mapping in all but name, and find names in any case, as the SDK expects.
            return answer.get_data(as_text=True), answer.status_code, cast(Mapping[str, str], answer.headers)

    def close(self) -> None:
        """Nothing is held open."""

    def _sleep_time_seconds(self, num_retries: int) -> float:  # noqa: ARG002  # The SDK's signature.
        """Waiting is for networks."""
        return 0
