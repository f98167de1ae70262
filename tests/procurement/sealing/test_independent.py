"""An auditor with Debian's ``age`` and a script of their own gets the same plaintext hashes. So does nobody else."""

import hashlib
import io
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from schoolmeals.procurement.sealing import wrap
from tests.procurement.sealing import independent
from tests.procurement.sealing.commission import LETTER, PRICE_LIST, Commission, Sealed

SCRIPT = Path(independent.__file__)
WANTED = {
    "qualification": hashlib.sha256(LETTER).hexdigest(),
    "price": hashlib.sha256(PRICE_LIST).hexdigest(),
}


@pytest.fixture(autouse=True)
def _age() -> None:
    if shutil.which("age") is None:
        pytest.skip("NO AUDITOR: Debian's age is not here (apt-get install age).")


def written(sealed: Sealed, folder: Path) -> Path:
    """The sealed bid as files."""
    (folder / "manifest.json").write_bytes(sealed.bid.manifest)
    for name, data in sealed.ciphertexts.items():
        (folder / f"{name}.age").write_bytes(data)
    return folder


def test_the_script_imports_nothing_of_ours() -> None:
    lines = [line for line in SCRIPT.read_text().splitlines() if line.startswith(("import", "from"))]
    assert lines
    assert not [line for line in lines if "schoolmeals" in line or "pyrage" in line or "pyshamir" in line]


def test_it_gives_the_same_hashes_for_all_bids(tmp_path: Path) -> None:
    commission = Commission.of(3, 5)
    groups = list(combinations(commission.identities, 3))
    for at, members in enumerate(groups):
        sealed = commission.seal(PRICE_LIST + b" " * at, bid_id=f"bid-{at}")
        folder = tmp_path / str(at)
        folder.mkdir()
        found = independent.open_bid(written(sealed, folder), {one: commission.identities[one] for one in members})
        ours = {name: commission.open(sealed, members, name).plaintext_sha256 for name in sealed.ciphertexts}
        assert found == ours
        assert ours["qualification"] == WANTED["qualification"]


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    commission = Commission.of(2, 3)
    folder = written(commission.seal(), tmp_path)
    arguments = []
    for member in ("m0", "m2"):
        key = tmp_path / f"{member}.key"
        key.write_text(commission.identities[member] + "\n")
        arguments.append(f"{member}={key}")
    said = subprocess.run([sys.executable, SCRIPT, folder, *arguments], capture_output=True, text=True, check=True)
    assert dict(line.split() for line in said.stdout.splitlines()) == WANTED


def test_it_gets_nothing_with_one_member_too_few(tmp_path: Path) -> None:
    commission = Commission.of(3, 5)
    folder = written(commission.seal(), tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        independent.open_bid(folder, {one: commission.identities[one] for one in ("m0", "m1")})


def test_it_finds_content_that_is_not_what_our_opener_says(tmp_path: Path) -> None:
    commission = Commission.of(2, 3)
    sealed, other = commission.seal(), commission.seal(b"{}")
    # The planted bug: an opener that tells the hash of another bid.
    told = {name: commission.open(other, ["m0", "m1"], name).plaintext_sha256 for name in other.ciphertexts}
    found = independent.open_bid(written(sealed, tmp_path), commission.identities)
    assert {name for name in found if found[name] != told[name]} == {"price"}


def test_a_key_file_of_ours_is_an_age_file() -> None:
    key_file = wrap("AGE-SECRET-KEY-1EXAMPLE", "1234")
    assert io.BytesIO(key_file).readline() == b"-----BEGIN AGE ENCRYPTED FILE-----\n"
