"""The limit: pgbench with the bare statements of a tap, and nothing around them."""

import re
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import psycopg

from schoolmeals.embedded import find_binaries

TAP: Final = """\\set n random(1, :pupils)
BEGIN;
UPDATE account SET debits_minor = debits_minor + 1, version = version + 1 FROM bench_purse
 WHERE n = :n AND account.school_id = bench_purse.school_id AND account.id = bench_purse.account_id
   AND credits_minor - debits_minor >= 1
RETURNING account.school_id, account.id AS account_id, income_id, gen_random_uuid() AS entry_id \\gset
INSERT INTO journal_entry (school_id, id, kind, at, content_hash)
VALUES (:school_id, :entry_id, 'bench', now(), ''::bytea);
INSERT INTO posting (school_id, entry_id, line, debit_account_id, credit_account_id, amount_minor, debit_balance_after,
                     credit_balance_after, debit_version, credit_version, at)
VALUES (:school_id, :entry_id, 0, :account_id, :income_id, 1, 0, 0, 0, 0, now());
COMMIT;
"""
"""One conditional update, one entry, one posting; the school's own account is left alone, as no tap could."""

_PURSES: Final = """
CREATE TABLE IF NOT EXISTS bench_purse AS
SELECT row_number() OVER () AS n, purse.school_id, purse.id AS account_id, income.id AS income_id
  FROM account AS purse JOIN account AS income ON income.school_id = purse.school_id AND income.purpose = 'meals-sold'
 WHERE purse.purpose = 'purse';
CREATE UNIQUE INDEX IF NOT EXISTS bench_purse_n ON bench_purse (n);
ANALYZE;
"""


def prepare(owner_url: str) -> int:
    """Number the purses for pgbench, and give their number."""
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(_PURSES)
        row = connection.execute("SELECT count(*) FROM bench_purse").fetchone()
    assert row is not None
    return int(row[0])


def measure(owner_url: str, pupils: int, clients: int, seconds: int, folder: Path) -> int:
    """Taps a second at ``clients`` clients."""
    script = folder / "tap.sql"
    script.write_text(TAP, encoding="utf-8")
    parts = urlsplit(owner_url.replace("+psycopg", ""))
    query = parse_qs(parts.query)
    done = subprocess.run(
        [
            str(find_binaries().folder / "pgbench"),
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={clients}",
            f"--jobs={min(2, clients)}",
            f"--time={seconds}",
            f"--define=pupils={pupils}",
            f"--file={script}",
            f"--host={query['host'][0]}",
            f"--port={query['port'][0]}",
            f"--username={parts.username}",
            parts.path.lstrip("/"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"tps = ([0-9]+)", done.stdout)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"pgbench says: {done.stdout}\n{done.stderr}")
    return int(found[1])
