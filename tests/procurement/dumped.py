"""A dump of the whole database, and what somebody can try with it who also has every secret of the server and the keys
of some members. It works on the dump alone: nothing here asks a running system.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Final
from uuid import UUID

import psycopg
import pyrage

from schoolmeals.embedded.binaries import find_binaries
from schoolmeals.procurement.rows import ServerKeys, part_id, unsealed, unsealed_part
from schoolmeals.procurement.rules.bids import PART_BYTES, RowFacts, RowKind
from schoolmeals.procurement.sealing import Manifest, SealedEnvelope, age_keys
from tests.procurement.sealing.independent import combine

_TABLE: Final = re.compile(r"^COPY public\.(\w+) \(([^)]*)\) FROM stdin;\n(.*?)^\\\.$", re.MULTILINE | re.DOTALL)


def dump(url: str) -> str:
    """What ``pg_dump`` writes of the database at ``url`` (a libpq address)."""
    beside = find_binaries().folder / "pg_dump"
    program = str(beside) if beside.is_file() else shutil.which("pg_dump")
    if program is not None:
        asked = [program, "--dbname", url, "--no-owner"]
        return subprocess.run(asked, capture_output=True, check=True).stdout.decode()
    # A wheel may bring the server alone. These are the lines in which pg_dump, too, writes what tables hold.
    with psycopg.connect(url) as connection:
        return "".join(_copied(connection))


def _copied(connection: psycopg.Connection[Any]) -> Iterator[str]:
    named = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    for (table,) in connection.execute(named).fetchall():
        with connection.cursor() as cursor:
            columns = [column.name for column in cursor.execute(f"SELECT * FROM {table} LIMIT 0").description or ()]
            yield f"COPY public.{table} ({', '.join(columns)}) FROM stdin;\n"
            with cursor.copy(f"COPY {table} TO STDOUT") as lines:
                yield from (bytes(line).decode() for line in lines)
            yield "\\.\n"


def rows_in(dumped: str, table: str) -> list[dict[str, str]]:
    """The rows of a table in a dump, each value as it is written there."""
    for found in _TABLE.finditer(dumped):
        if found[1] == table:
            names = [name.strip(' "') for name in found[2].split(",")]
            return [dict(zip(names, line.split("\t"), strict=True)) for line in found[3].splitlines()]
    raise LookupError(table)


def bids_in(dumped: str, keys: ServerKeys) -> list[RowFacts]:
    """All bids, as the server's secrets show them: manifests, and whose they are."""
    said = [
        unsealed(keys, UUID(row["tender_id"]), UUID(row["id"]), _bytes(row["body"]))
        for row in rows_in(dumped, "sealed_row")
    ]
    return [one for one in said if one.kind is RowKind.BID]


def files_in(dumped: str, keys: ServerKeys, bid: RowFacts) -> dict[str, bytes]:
    """The sealed files of a bid, put together of the pieces that the server's secrets show to be its."""
    bodies = {UUID(row["id"]): _bytes(row["body"]) for row in rows_in(dumped, "ciphertext_part")}

    def content(envelope: SealedEnvelope) -> bytes:
        count = envelope.ciphertext_bytes // PART_BYTES
        ids = [part_id(keys, bid.tender_id, envelope.ciphertext_sha256, number) for number in range(count)]
        return b"".join(unsealed_part(keys, id, bodies[id]) or b"" for id in ids)

    return {one.name: content(one) for one in Manifest.from_bytes(bid.manifest).envelopes}


def read_bid(dumped: str, keys: ServerKeys, bid: RowFacts, members: Sequence[str]) -> str:
    """All that can be read of a bid's files with the private keys of some ``members``; empty where that is nothing."""
    manifest = Manifest.from_bytes(bid.manifest)
    read = b""
    for name, data in files_in(dumped, keys, bid).items():
        own = [age_keys.identity(key) for key in members]
        boxes = [_opened(share.box, own) for share in manifest.envelope(name).shares]
        shares = [bytes.fromhex(json.loads(box)["share"]) for box in boxes if box]
        tried = [*own, *map(_as_key, _secrets(shares))]
        read += _opened(data, tried)
    return read.decode("utf-8", "replace")


def _secrets(shares: Sequence[bytes]) -> Iterator[bytes]:
    """What any of the shares come to together, and each by itself."""
    yield from (share[:-1] for share in shares)
    for size in range(2, len(shares) + 1):
        yield from (combine(list(some)) for some in combinations(shares, size))


def _as_key(secret: bytes) -> Any:
    return age_keys.identity(age_keys.identity_text(secret))


def _opened(data: bytes, keys: Sequence[Any]) -> bytes:
    try:
        return pyrage.decrypt(data, list(keys))
    except pyrage.DecryptError:
        return b""


def _bytes(written: str) -> bytes:
    """A binary value in a dump: ``\\\\x`` and hex."""
    return bytes.fromhex(written.removeprefix("\\\\x"))
