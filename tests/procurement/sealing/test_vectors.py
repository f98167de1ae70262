"""The checked-in vectors, which the browser's tests read too: a change that breaks the format breaks here."""

import json
from base64 import b64decode
from itertools import combinations
from typing import Any

import pytest

from schoolmeals.procurement.sealing import (
    KeySet,
    Member,
    PublishedKeys,
    age_keys,
    open_envelope,
    open_share,
    open_with_recovery,
    published_keys,
    recorded_manifest,
    recovery_identities,
    require_published,
    shares,
)
from schoolmeals.procurement.sealing.canonical import canonical, digest, parse
from tests.procurement.sealing.commission import VECTORS, content_of

MADE: dict[str, Any] = json.loads((VECTORS / "vectors.json").read_text("utf-8"))
FILES = {name: b64decode(data) for name, data in MADE["files"].items()}
KEYS = KeySet.from_bytes(b64decode(MADE["key_set"]))


@pytest.mark.parametrize(("value", "written"), MADE["written"])
def test_things_are_written_as_they_were(value: Any, written: str) -> None:
    assert canonical(value) == b64decode(written)
    assert parse(b64decode(written)) == value


def test_hashes_are_what_they_were() -> None:
    domain, data, expected = MADE["hashed"]
    assert digest(domain, b64decode(data)) == expected
    assert KEYS.sha256 == MADE["key_set_sha256"]


def test_keys_are_those_of_the_notice() -> None:
    published = PublishedKeys.from_bytes(b64decode(MADE["published"]))
    assert published == published_keys(KEYS)
    require_published(KEYS, published)
    made = [Member(one, str(age_keys.identity(key).to_public())) for one, key in MADE["identities"].items()]
    assert tuple(made) == KEYS.members


def test_shares_give_the_secret_they_gave() -> None:
    split = MADE["split"]
    parts = [bytes.fromhex(one) for one in split["shares"]]
    for some in combinations(parts, split["k"]):
        assert shares.combine(some).hex() == split["secret"]
        assert [shares.share_at(part[-1], some) for part in parts] == parts
    about = {"tender_id": "tender-1", "bid_id": "bid-1", "envelope": "price", "member_id": "m0"}
    assert shares.share_commitment(parts[0], **about) == split["commitment_of_first"]


@pytest.mark.parametrize("side", ["by_python", "by_browser"])
def test_bids_sealed_by_either_side_open(side: str) -> None:
    bid = MADE[side]
    manifest = recorded_manifest(b64decode(bid["manifest"]), KEYS, sha256=bid["manifest_sha256"])
    for members in combinations(MADE["identities"], 2):
        handed_in = [open_share(manifest, "bid", one, MADE["identities"][one]) for one in members]
        with (
            (VECTORS / f"{side}.age").open("rb") as ciphertext,
            open_envelope(manifest, "bid", handed_in, ciphertext) as opened,
        ):
            assert content_of(opened).files == FILES
    keys = recovery_identities(b64decode(bid["recovery"]), manifest_sha256=bid["manifest_sha256"])
    with (
        (VECTORS / f"{side}.age").open("rb") as ciphertext,
        open_with_recovery(manifest, "bid", keys["bid"], ciphertext) as opened,
    ):
        assert content_of(opened).files == FILES
