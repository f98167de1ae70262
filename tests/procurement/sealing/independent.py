"""An auditor's opening that shares no line with ours: Debian's ``age``, the standard library, Shamir in GF(256).

    python independent.py FOLDER MEMBER=KEYFILE...     the folder holds manifest.json and the .age files

Prints for each envelope the SHA-256 of its files together. The key files hold ``AGE-SECRET-KEY-1...`` in the clear.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def multiply(one: int, other: int) -> int:
    """In GF(256) with x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        one = one << 1 ^ (0x11B if one & 0x80 else 0)
        other >>= 1
    return product


def divide(one: int, other: int) -> int:
    return next(candidate for candidate in range(256) if multiply(candidate, other) == one)


def combine(shares: list[bytes]) -> bytes:
    """The polynomial's value at 0, byte by byte. The last byte of a share is its place."""
    places = [share[-1] for share in shares]
    weights = []
    for place in places:
        weight = 1
        for other in places:
            if other != place:
                weight = multiply(weight, divide(other, other ^ place))
        weights.append(weight)
    secret = bytearray(len(shares[0]) - 1)
    for share, weight in zip(shares, weights, strict=True):
        for at in range(len(secret)):
            secret[at] ^= multiply(share[at], weight)
    return bytes(secret)


def private_key(secret: bytes) -> str:
    """Bech32 of 32 bytes for "age-secret-key-", as BIP 173 has it."""
    number = int.from_bytes(secret, "big") << 4  # 256 bits and 4 of padding make 52 digits of 5 bits
    digits = [number >> 5 * at & 31 for at in reversed(range(52))]
    prefix = "age-secret-key-"
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + digits + [0] * 6
    rest = 1
    for value in values:
        top = rest >> 25
        rest = (rest & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            rest ^= generator if top >> at & 1 else 0
    digits += [(rest ^ 1) >> 5 * (5 - at) & 31 for at in range(6)]
    return (prefix + "1" + "".join(LETTERS[digit] for digit in digits)).upper()


def age_decrypt(data: bytes, key: str) -> bytes:
    with tempfile.NamedTemporaryFile("w", suffix=".key") as file:
        file.write(key + "\n")
        file.flush()
        return subprocess.run(["age", "-d", "-i", file.name], input=data, capture_output=True, check=True).stdout


def payload_sha256(plain: bytes) -> str:
    length = int.from_bytes(plain[:4], "big")
    header = json.loads(plain[4 : 4 + length])
    size = sum(file["bytes"] for file in header["files"])
    return hashlib.sha256(plain[4 + length : 4 + length + size]).hexdigest()


def open_bid(folder: Path, keys: dict[str, str]) -> dict[str, str]:
    """The plaintext hash of each envelope."""
    hashes = {}
    for envelope in json.loads((folder / "manifest.json").read_bytes())["envelopes"]:
        shares = []
        for share in envelope["shares"]:
            if share["member_id"] in keys:
                box = json.loads(age_decrypt(base64.b64decode(share["box"]), keys[share["member_id"]]))
                shares.append(bytes.fromhex(box["share"]))
        ciphertext = (folder / f"{envelope['envelope']}.age").read_bytes()
        hashes[envelope["envelope"]] = payload_sha256(age_decrypt(ciphertext, private_key(combine(shares))))
    return hashes


if __name__ == "__main__":
    given = [argument.split("=", 1) for argument in sys.argv[2:]]
    for name, sha256 in open_bid(
        Path(sys.argv[1]), {member: Path(key).read_text().strip() for member, key in given}
    ).items():
        sys.stdout.write(f"{name} {sha256}\n")
