"""One way to write each thing (RFC 8785), one domain for each hash, and exact shapes for what is read."""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

import rfc8785

from schoolmeals.procurement.sealing.faults import FaultCode, SealingFault

COMMIT_DOMAIN: Final = "bid-commit/v1"
KEYS_DOMAIN: Final = "bid-keys/v1"
MANIFEST_DOMAIN: Final = "bid-manifest/v1"
MEMBER_KEY_DOMAIN: Final = "bid-member-key/v1"
SHARE_DOMAIN: Final = "bid-share/v1"

Check = Callable[[Any], bool]
"""Whether a value read from JSON is of the right kind."""


def canonical(value: Any) -> bytes:
    """``value`` in the one way that RFC 8785 allows. Raises ``not-canonical`` for what it cannot write.

    For ASCII text and small whole numbers, which is what manifests are made of, the standard encoder writes the very
    same bytes many times faster; a test compares the two. In the last seconds before a deadline that counts.
    """
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError):
        text = ""
    if text.startswith("{") and text.isascii() and not any(one.search(text) for one in _DOUBTFUL):
        return text.encode("ascii")
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise SealingFault(FaultCode.NOT_CANONICAL) from error


def parse(data: bytes) -> Any:
    """What ``data`` says, where it is canonical JSON without fractions; else raises ``not-canonical``."""
    try:
        value = json.loads(data.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise SealingFault(FaultCode.NOT_CANONICAL) from error
    if canonical(value) != data:
        raise SealingFault(FaultCode.NOT_CANONICAL)
    return value


def _refuse(text: str) -> None:
    raise ValueError(text)


def digest(domain: str, *parts: bytes) -> str:
    """SHA-256 in hex over ``domain``, a zero byte and ``parts``: what is hashed for one use fits no other."""
    hashing = hashlib.sha256(domain.encode("ascii") + b"\0")
    for part in parts:
        hashing.update(part)
    return hashing.hexdigest()


def exactly(value: Any, part: str, checks: Mapping[str, Check]) -> dict[str, Any]:
    """``value``, where it is an object with exactly these fields, each as its check says; else ``wrong-shape``."""
    if not isinstance(value, dict) or value.keys() != checks.keys():
        raise SealingFault(FaultCode.WRONG_SHAPE, part=part)
    for name, check in checks.items():
        if not check(value[name]):
            raise SealingFault(FaultCode.WRONG_SHAPE, part=f"{part}.{name}")
    return value


def is_name(value: Any) -> bool:
    """An id or a short name: letters, digits, dots, dashes and underscores, at most 64."""
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value) is not None


def is_hash(value: Any) -> bool:
    """32 bytes in lower-case hex: a SHA-256, a salt or a nonce."""
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def is_hash_or_empty(value: Any) -> bool:
    """A hash, or the empty text for none."""
    return value == "" or is_hash(value)


def is_share(value: Any) -> bool:
    """33 bytes in lower-case hex: 32 of the share and its place on the polynomial."""
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{66}", value) is not None


def is_recipient(value: Any) -> bool:
    """A public age key, as far as its writing goes."""
    return isinstance(value, str) and re.fullmatch(r"age1[02-9ac-hj-np-z]{58}", value) is not None


def is_count(value: Any) -> bool:
    """A whole number from 0 to 2^53 - 1, which both sides can count to."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def is_list(value: Any) -> bool:
    """A list with something in it."""
    return isinstance(value, list) and len(value) > 0


def is_names(value: Any) -> bool:
    """At least one name, none twice."""
    return is_list(value) and all(map(is_name, value)) and len(set(value)) == len(value)


def is_base64(value: Any) -> bool:
    """Base64 in the one way that its bytes can be written."""
    try:
        return isinstance(value, str) and b64encode(b64decode(value, validate=True)).decode() == value
    except ValueError:
        return False


def is_format(wanted: str) -> Check:
    """Whether the format, with its version, is ``wanted``."""
    return lambda value: bool(value == wanted)


_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_DOUBTFUL: Final = tuple(map(re.compile, (r'":-?(?:[0-9]{16}|[0-9]+[.eE])', r"\[-?[0-9]", r",-?[0-9]")))
"""Perhaps a number in a list, one that JSON cannot carry exactly, or one that is not whole. Each begins with a fixed
text: searching for a choice of beginnings takes many times as long."""
