"""How the double says no: Stripe's error objects."""

from collections.abc import Mapping
from typing import Any


class ApiProblem(Exception):
    """An answer with an error object. ``status`` is the HTTP status; ``kind`` is Stripe's ``type``.

    ``is_kept`` says whether Stripe would keep the answer under the idempotency key: it does once the work has begun,
    and does not where the request was malformed.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        is_kept: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_kept = is_kept
        told = {"type": kind, "code": code, "message": message, "param": param, **(extra or {})}
        self.body = {"error": {name: value for name, value in told.items() if value is not None}}


def missing(kind: str, object_id: str, param: str = "id") -> ApiProblem:
    """There is no such object."""
    return ApiProblem(f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param=param)
