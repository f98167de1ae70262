"""The bytes: one way to write each thing, sizes in classes, shapes that are exact."""

import io
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import pytest
import rfc8785
from hypothesis import given, strategies

from schoolmeals.procurement.sealing import (
    MANIFEST_MAX_BYTES,
    SENTENCES,
    SIZE_CLASSES,
    FaultCode,
    Manifest,
    SealingFault,
    SourceFile,
    published_keys,
    seal_bid,
    submitted_manifest,
)
from schoolmeals.procurement.sealing import canonical as canonical_module
from schoolmeals.procurement.sealing.canonical import canonical, digest, parse
from schoolmeals.procurement.sealing.envelopes import is_file_name, size_class
from tests.procurement.sealing.commission import Commission


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        (
            {"\u20ac": 1, "\r": 2, "\U0001f600": 3, "\ufb33": 4},
            '{"\\r":2,"\u20ac":1,"\U0001f600":3,"\ufb33":4}'.encode(),
        ),
        ("\u000f\n'A'\u0042\u0022\u005c\\\"\u002f", b'"\\u000f\\n\'A\'B\\"\\\\\\\\\\"/"'),
        ("Қазақша", '"Қазақша"'.encode()),
    ],
)
def test_each_thing_is_written_as_rfc_8785_has_it(value: Any, written: bytes) -> None:
    assert canonical(value) == written
    assert parse(written) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b"1.0",
        b"-0",
        b"1e2",
        b"NaN",
        b'"\\u0041"',
        b'"\\ud800"',
        b"\xff",
        b"9007199254740993",
        b"[" * 100_000,
        b'\xef\xbb\xbf"a"',
        b"",
        b"{} ",
    ],
)
def test_nothing_is_read_that_is_written_otherwise(data: bytes) -> None:
    with pytest.raises(SealingFault) as caught:
        parse(data)
    assert caught.value.fault.code == FaultCode.NOT_CANONICAL


JSON: Final = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers(-(2**53) + 1, 2**53 - 1) | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
)


@given(strategies.dictionaries(strategies.text(), JSON))
def test_the_fast_way_of_writing_gives_the_same_bytes(value: dict[str, Any]) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [{"a": 2**53}, {"a": [-(2**60)]}, {"a": "\ud800"}, {"a": float("nan")}, {"a": {1}}])
def test_what_cannot_be_written_is_refused_the_fast_way_too(value: Any) -> None:
    with pytest.raises(SealingFault):
        canonical(value)


@pytest.mark.parametrize("value", [{"a": 1e16}, {"a": [1e16]}, {"\uffff": 1, "\U00010000": 2}])
def test_the_fast_way_leaves_alone_what_it_would_write_otherwise(value: dict[str, Any]) -> None:
    assert canonical(value) == rfc8785.dumps(value)
    wrong = canonical_module._ENCODER.encode(value).encode()
    assert wrong != rfc8785.dumps(value)


def test_what_is_hashed_for_one_use_fits_no_other() -> None:
    assert digest("bid-keys/v1", b"x") != digest("bid-manifest/v1", b"x")
    assert digest("a", b"b") == "59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138"


def test_classes_hold_what_they_promise_to_the_byte() -> None:
    assert list(SIZE_CLASSES) == sorted(set(SIZE_CLASSES))
    assert (SIZE_CLASSES[0], SIZE_CLASSES[-1]) == (128 * 1024, 128 * 1024 * 1024)
    assert {size % 65_536 for size in SIZE_CLASSES} == {0}
    # A step is never more than double, so that nobody sends more than twice what the bid has.
    assert max(after / before for before, after in pairwise(SIZE_CLASSES)) == 2
    most = 128 * 1024 - 1_024 - 16 * 3
    assert [size_class(bytes_) for bytes_ in (1, most, most + 1)] == [131_072, 131_072, 262_144]
    with pytest.raises(SealingFault) as caught:
        size_class(128 * 1024 * 1024)
    assert caught.value.fault.code == FaultCode.TOO_LARGE


@pytest.mark.parametrize("content_bytes", [0, 1, 65_000, 129_000, 130_000, 131_072, 500_000, 1_100_000])
def test_a_sealed_file_has_the_size_of_a_class(content_bytes: int) -> None:
    commission = Commission.of(2, 3)
    sealed = commission.seal(bytes(content_bytes))
    size = len(sealed.ciphertexts["price"])
    assert size in SIZE_CLASSES
    assert sealed.manifest.envelope("price").ciphertext_bytes == size
    assert commission.open(sealed, ["m1", "m2"]).files == {"price.json": bytes(content_bytes)}


def test_a_manifest_is_read_as_it_was_written_and_not_otherwise() -> None:
    sealed = Commission.of(2, 3).seal()
    data = sealed.bid.manifest
    assert Manifest.from_bytes(data).to_bytes() == data
    value = parse(data)
    first = value["envelopes"][0]
    for changed in (
        {**value, "format": "bid-manifest/v2"},
        {**value, "more": 1},
        {**value, "padding": value["padding"][:-1]},
        {**value, "padding": "1" + value["padding"][1:]},
        {**value, "envelopes": value["envelopes"][::-1]},
        {**value, "envelopes": value["envelopes"][:1]},
        {**value, "envelopes": [{**first, "ciphertext_bytes": 131_073}, value["envelopes"][1]]},
        {**value, "envelopes": [{**first, "commitment": "A" * 64}, value["envelopes"][1]]},
        {**value, "bid": {**value["bid"], "k": 2.5}},
        {**value, "bid": {**value["bid"], "k": True}},
        {**value, "bid": {**value["bid"], "lot_ids": []}},
        {**value, "bid": {**value["bid"], "bidder": "x" * 65}},
    ):
        with pytest.raises(SealingFault):
            submitted_manifest(canonical(changed), sealed.keys)
    with pytest.raises(SealingFault):
        Manifest.from_bytes(b" " * (MANIFEST_MAX_BYTES + 1))


def test_members_in_another_order_or_fewer_are_not_taken() -> None:
    sealed = Commission.of(2, 3).seal()
    manifest = sealed.manifest
    first = manifest.envelopes[0]
    for members in (first.shares[::-1], first.shares[:2]):
        changed = replace(manifest, envelopes=(replace(first, shares=members), manifest.envelopes[1]))
        with pytest.raises(SealingFault) as caught:
            submitted_manifest(changed.to_bytes(), sealed.keys)
        assert caught.value.fault.code == FaultCode.WRONG_SHAPE


def test_the_largest_manifest_fits() -> None:
    sealed = Commission.of(5, 9).seal()
    assert len(sealed.bid.manifest) <= MANIFEST_MAX_BYTES


@pytest.mark.parametrize("name", ["price.json", "Бағасы (1).pdf", "ә" * 100, "a", "-"])
def test_names_that_a_file_may_have(name: str) -> None:
    assert is_file_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "a\\b", "C:x", "a\nb", "a\0", "ә" * 101, "\ud800", 1]
)
def test_names_that_no_file_may_have(name: Any) -> None:
    assert not is_file_name(name)


@pytest.mark.parametrize("names", [["a.pdf", "A.pdf"], ["../x"], [], [f"{at}" for at in range(101)]])
def test_files_that_are_not_sealed(names: list[str]) -> None:
    keys = Commission.of(2, 3).keys
    contents = {"price": [SourceFile.of_bytes(name, "text/plain", b"") for name in names]}
    with pytest.raises(SealingFault) as caught:
        seal_bid(keys, published_keys(keys), contents, lambda name: io.BytesIO(), bid_id="b", bidder="x", lot_ids=["l"])
    assert caught.value.fault.code == FaultCode.WRONG_SHAPE


@pytest.mark.parametrize("versions", [(b"short", b"longer than it was"), (b"longer", b""), (b"a", bytes(200_000))])
def test_a_file_that_changes_while_it_is_sealed_is_found(versions: tuple[bytes, bytes]) -> None:
    commission = Commission.of(2, 3)
    contents = iter(versions)
    growing = SourceFile("p.json", "application/json", lambda: io.BytesIO(next(contents)))
    sealed: dict[str, io.BytesIO] = {}
    keys = commission.keys
    published = published_keys(keys)

    def put(name: str) -> io.BytesIO:
        return sealed.setdefault(name, io.BytesIO())

    with pytest.raises(SealingFault) as caught:
        seal_bid(keys, published, {"price": [growing]}, put, bid_id="b", bidder="x", lot_ids=["l"])
    assert caught.value.fault.code == FaultCode.FILE_CHANGED


def test_every_fault_has_a_sentence() -> None:
    assert set(SENTENCES) == set(FaultCode)
    for code in FaultCode:
        assert "%(" not in str(SealingFault(code, envelope="price", member_id="m1", part="bid"))
