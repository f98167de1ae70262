"""Makes ``vectors/``: what Python and the browser must both read, in every later version too.

    python -m tests.procurement.sealing.make_vectors

Whoever runs it anew changes the format's own memory: only together with a new version of the format.
"""

import json
from base64 import b64decode, b64encode
from typing import Any, Final

from schoolmeals.procurement.sealing import SourceFile, manifest_digest, published_keys, seal_bid, shares
from schoolmeals.procurement.sealing.canonical import canonical, digest
from tests.browser.chromium import launched
from tests.browser.sealing_site import run, site
from tests.procurement.sealing.commission import PRICE_LIST, VECTORS, Commission

FILES: Final = {"price.json": PRICE_LIST, "Меню (1).txt": "Дүйсенбі, понедельник 🍲\n".encode()}
WRITTEN: Final = [
    {"b": 1, "a": [True, None, "x"]},
    {"\u20ac": "Euro", "\r": "CR", "\U0001f600": "face", "\u00f6": 2**53 - 1, "1": ""},
    '\u000f\n"\\/\u007f\u2028қ',
]
SEAL: Final = """
  const files = given.files.map(([name, data]) => ({ name, mediaType: "text/plain", blob: new Blob([bytes(data)]) }));
  const asked = { keySet: bytes(given.key_set), published: bytes(given.published), bidId: "bid-browser" };
  const facts = { bidder: "090840003422", lotIds: ["lot-2", "lot-1"], envelopes: [{ name: "bid", files }] };
  const sealed = await sealing.sealBid({ ...asked, ...facts });
  await put("bid", sealed.ciphertexts.bid);
  return { manifest: text(sealed.manifest), manifest_sha256: sealed.manifestSha256, recovery: text(sealed.recovery) };
"""


def text(data: bytes) -> str:
    """Bytes as JSON carries them."""
    return b64encode(data).decode()


def main() -> None:
    """Write the vectors and the two sealed files."""
    commission = Commission.of(2, 3)
    VECTORS.mkdir(exist_ok=True)
    vectors: dict[str, Any] = {
        "written": [[value, text(canonical(value))] for value in WRITTEN],
        "hashed": ["bid-keys/v1", text(b"abc"), digest("bid-keys/v1", b"abc")],
        "key_set": text(commission.keys.to_bytes()),
        "key_set_sha256": commission.keys.sha256,
        "published": text(published_keys(commission.keys).to_bytes()),
        "identities": commission.identities,
        "split": _split(),
        "files": {name: text(data) for name, data in FILES.items()},
        "by_python": _by_python(commission),
    }
    vectors["by_browser"] = _by_browser(vectors)
    written = json.dumps(vectors, indent=1, sort_keys=True, ensure_ascii=False)
    (VECTORS / "vectors.json").write_text(written + "\n", encoding="utf-8")


def _split() -> dict[str, Any]:
    secret = bytes(range(32))
    parts = shares.split(secret, k=3, n=5)
    place = {"tender_id": "tender-1", "bid_id": "bid-1", "envelope": "price", "member_id": "m0"}
    commitment = shares.share_commitment(parts[0], **place)
    return {"k": 3, "secret": secret.hex(), "shares": [one.hex() for one in parts], "commitment_of_first": commitment}


def _by_python(commission: Commission) -> dict[str, str]:
    keys = commission.keys
    contents = {"bid": [SourceFile.of_bytes(name, "text/plain", data) for name, data in FILES.items()]}
    facts = {"bid_id": "bid-python", "bidder": "090840003422"}
    with (VECTORS / "by_python.age").open("wb") as writer:
        published = published_keys(keys)
        sealed = seal_bid(keys, published, contents, lambda name: writer, lot_ids=["lot-2", "lot-1"], **facts)
    told = {"manifest": text(sealed.manifest), "recovery": text(sealed.recovery)}
    return {**told, "manifest_sha256": sealed.manifest_sha256}


def _by_browser(vectors: dict[str, Any]) -> dict[str, str]:
    kept: dict[str, bytes] = {}
    with launched() as browser, site(kept) as address:
        page = browser.new_page()
        page.goto(address)
        given = {**vectors, "files": list(vectors["files"].items())}
        told: dict[str, str] = run(page, SEAL, given)
    assert manifest_digest(b64decode(told["manifest"])) == told["manifest_sha256"]
    (VECTORS / "by_browser.age").write_bytes(kept["bid"])
    return told


if __name__ == "__main__":
    main()
