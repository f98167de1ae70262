"""Checks what a caller sends against the very TypedDicts that the installed Stripe SDK ships: names, nesting, types,
enums.

The SDK does not check its parameters when it runs, so a misspelt one would only be noticed by the real Stripe.
"""

import functools
import re
import types
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from schoolmeals.demo.stripe_double.problems import ApiProblem

_BRANCH: Final = re.compile(r"\[([^\[\]]*)\]")
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")
_METADATA_LIMITS: Final = (50, 40, 500)
_DEEPEST: Final = 12

Params = dict[str, Any]


def params_of(encoded: str) -> Params:
    """Stripe's form encoding, ``a[b][0]=c``, as nested dicts of strings. Lists stay dicts keyed by their index."""
    params: Params = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        head, _, rest = name.partition("[")
        path = [head, *_BRANCH.findall("[" + rest if rest else "")]
        if len(path) > _DEEPEST:
            raise ApiProblem(f"Too deeply nested: {head}", param=head)
        branch = params
        for step in path[:-1]:
            deeper = branch.setdefault(step, {})
            if not isinstance(deeper, dict):
                raise ApiProblem(f"Invalid object: {head}", param=head)
            branch = deeper
        branch[path[-1]] = value
    return params


def checked(params: Params, shape_name: str) -> Params:
    """``params`` with integers, booleans and lists made of the strings. Raises ApiProblem.

    ``shape_name`` is a name below ``stripe.params``, e.g. ``checkout.SessionCreateParams``.
    """
    return _read_fields(params, _shape(shape_name), "")


@functools.cache
def _shape(shape_name: str) -> Any:
    import stripe.params.checkout  # Half a second: only once somebody really calls the double.

    return functools.reduce(getattr, shape_name.split("."), stripe.params)


@functools.cache
def _fields(shape: Any) -> Mapping[str, Any]:
    """The fields that go over the wire. The request options are inherited by the same TypedDict, and are none."""
    import stripe  # As above.

    names = {"StripeContext": object, "Mapping": Mapping}
    hints = get_type_hints(shape, localns=names, include_extras=True)
    options = stripe.RequestOptions.__annotations__
    is_whole_request = "idempotency_key" in hints
    return {name: hint for name, hint in hints.items() if not (is_whole_request and name in options)}


def _read_fields(given: Any, shape: Any, path: str) -> Params:
    if not isinstance(given, dict):
        raise ApiProblem("Invalid object", param=path)
    fields = _fields(shape)
    for name in given:
        if name not in fields:
            raise ApiProblem(
                f"Received unknown parameter: {_below(path, name)}", code="parameter_unknown", param=_below(path, name)
            )
    for name in shape.__required_keys__ & fields.keys():
        if name not in given:
            raise ApiProblem(
                f"Missing required param: {_below(path, name)}.", code="parameter_missing", param=_below(path, name)
            )
    return {name: _read(value, fields[name], _below(path, name)) for name, value in given.items()}


def _read(given: Any, hint: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (NotRequired, Required):
        return _read(given, get_args(hint)[0], path)
    if origin in (Union, types.UnionType):
        return _read_one_of(given, get_args(hint), path)
    # The SDK's TypedDicts come from typing_extensions, which typing.is_typeddict does not know.
    if hasattr(hint, "__required_keys__"):
        return _read_fields(given, hint, path)
    if origin is list:
        return _read_list(given, get_args(hint)[0], path)
    if origin is dict:
        return _read_metadata(given, path)
    return _read_plain(given, hint, path)


def _read_one_of(given: Any, hints: tuple[Any, ...], path: str) -> Any:
    """The SDK writes an enum as ``Literal[...] | str``, to be ready for new values. Here the literal stands alone."""
    if any(get_origin(hint) is Literal for hint in hints):
        hints = tuple(hint for hint in hints if hint is not str)
    problem: ApiProblem | None = None
    for hint in hints:
        try:
            return _read(given, hint, path)
        except ApiProblem as found:
            problem = problem or found
    raise problem or ApiProblem("Invalid value", param=path)


def _read_list(given: Any, hint: Any, path: str) -> list[Any]:
    if not isinstance(given, dict) or set(given) != {str(index) for index in range(len(given))}:
        raise ApiProblem(f"Invalid array: {path}", param=path)
    return [_read(given[str(index)], hint, f"{path}[{index}]") for index in range(len(given))]


def _read_metadata(given: Any, path: str) -> dict[str, str]:
    most, longest_key, longest_value = _METADATA_LIMITS
    if not isinstance(given, dict) or len(given) > most:
        raise ApiProblem(f"Invalid hash: {path} takes at most {most} keys", param=path)
    for key, value in given.items():
        if not isinstance(value, str) or len(key) > longest_key or len(value) > longest_value:
            raise ApiProblem(f"Invalid metadata under {key[:longest_key]!r}", param=path)
    return given


def _read_plain(given: Any, hint: Any, path: str) -> Any:
    if isinstance(given, str):
        if get_origin(hint) is Literal and given in get_args(hint):
            return given
        if hint is str:
            return given
        if hint is bool and given in ("true", "false"):
            return given == "true"
        if hint is int and _INTEGER.fullmatch(given):
            return int(given)
        if hint is Decimal and _DECIMAL.fullmatch(given):
            return given
    expected = ", ".join(map(str, get_args(hint))) if get_origin(hint) is Literal else getattr(hint, "__name__", hint)
    raise ApiProblem(f"Invalid {path}: must be {expected}", param=path)


def _below(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
