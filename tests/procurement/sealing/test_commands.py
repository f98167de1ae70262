"""The commands, end to end on files: no server, no database."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schoolmeals.cli import main
from schoolmeals.procurement import sealing_commands
from tests.procurement.sealing.commission import Commission

MEMBERS = ("m0", "m1", "m2")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with keys of three members, two needed, and two files to seal."""
    monkeypatch.chdir(tmp_path)
    # Scrypt takes seconds; what it does is tested where the keys are.
    monkeypatch.setattr(sealing_commands, "wrap", lambda identity, passphrase: f"{passphrase} {identity}".encode())
    monkeypatch.setattr(sealing_commands, "unwrap", lambda data, passphrase: data.decode().split()[1])
    for member in MEMBERS:
        said = run("keygen", "--member", member, "--out", f"{member}.key")
        Path(f"{member}.json").write_text(said.stdout)
    run(
        "keys",
        "--tender",
        "t",
        "--needed",
        "2",
        *options("--member", *(f"{one}.json" for one in MEMBERS)),
        "--out",
        ".",
    )
    Path("letter.pdf").write_bytes(b"%PDF")
    Path("баға.json").write_bytes(b'{"price_minor":1}')
    return tmp_path


def options(name: str, *values: str) -> list[str]:
    return [word for value in values for word in (name, value)]


def run(*arguments: str, ends_with: int = 0, typed: str = "") -> Result:
    """Run ``schoolmeals bid ...``; an end that was not wanted shows what was said."""
    result = CliRunner().invoke(main, ["bid", *arguments], input=typed)
    assert result.exit_code == ends_with, result.output
    return result


def sealed() -> str:
    """Seal the two files into ``sealed``; the manifest's digest."""
    contents = options("--envelope", "qualification=letter.pdf", "price=баға.json")
    keys = ("--keys", "keys.json", "--published", "published.json")
    return run("seal", *keys, "--bidder", "b", "--lot", "l", *contents, "--out", "sealed").stdout.strip()


def opening(digest: str) -> list[str]:
    return ["--keys", "keys.json", "--manifest", "sealed/manifest.json", "--digest", digest]


def test_two_of_three_open_what_was_sealed(folder: Path) -> None:
    digest = sealed()
    assert sorted(path.name for path in (folder / "sealed").iterdir()) == [
        "manifest.json",
        "price.age",
        "qualification.age",
        "recovery.json",
    ]
    assert (folder / "sealed/recovery.json").stat().st_mode & 0o077 == 0
    run("share", *opening(digest), "--member", "m2", "--key", "m2.key", "--out", "shares", typed="x\n")
    handed_in = options("--share", "shares/price.m2.share.json", "shares/qualification.m2.share.json")
    said = run("open", *opening(digest), *handed_in, "--key", "m0=m0.key", "--out", "opened", typed="x\n")
    assert [line.split()[0] for line in said.stdout.splitlines()] == ["qualification", "price"]
    assert (folder / "opened/price/баға.json").read_bytes() == b'{"price_minor":1}'
    assert (folder / "opened/qualification/letter.pdf").read_bytes() == b"%PDF"


def test_one_of_three_opens_nothing(folder: Path) -> None:
    digest = sealed()
    said = run("open", *opening(digest), "--key", "m0=m0.key", "--out", "opened", typed="x\n", ends_with=1)
    assert "too-few-shares" in said.stderr
    assert not (folder / "opened").exists()


def test_the_bidder_can_open_alone_to_disclose(folder: Path) -> None:
    digest = sealed()
    said = run("open", *opening(digest), "--recovery", "sealed/recovery.json", "--envelope", "price", "--out", "opened")
    assert said.stdout.startswith("price ")
    assert [path.name for path in (folder / "opened").iterdir()] == ["price"]


def test_a_swapped_key_is_refused_before_anything_is_written(folder: Path) -> None:
    other = Commission.of(2, 3, "t").keys.to_bytes()
    (folder / "keys.json").write_bytes(other)
    contents = options("--envelope", "price=баға.json")
    who = ("--bidder", "b", "--lot", "l")
    said = run(
        "seal", "--keys", "keys.json", "--published", "published.json", *who, *contents, "--out", "sealed", ends_with=1
    )
    assert "key-swapped" in said.stderr
    assert "member m0" in said.stderr
    said = run("seal", "--keys", "keys.json", "--key-digest", "0" * 64, *who, *contents, "--out", "sealed", ends_with=1)
    assert "key-set-swapped" in said.stderr
    assert not (folder / "sealed").exists()


def test_verify_says_what_holds_and_what_does_not(folder: Path) -> None:
    digest = sealed()
    known = ["--published", "published.json"]
    assert run("verify", *opening(digest), *known).stdout.count("holds") == 4
    assert "manifest-changed" in run("verify", *opening("0" * 64), *known, ends_with=1).stderr
    data = (folder / "sealed/price.age").read_bytes()
    (folder / "sealed/price.age").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert "ciphertext-swapped" in run("verify", *opening(digest), *known, ends_with=1).stderr


def test_a_key_is_never_written_over_another(folder: Path) -> None:
    before = (folder / "m0.key").read_bytes()
    run("keygen", "--member", "m0", "--out", "m0.key", ends_with=1)
    assert (folder / "m0.key").read_bytes() == before
    assert (folder / "m0.key").stat().st_mode & 0o077 == 0


def test_keygen_shows_the_public_part_alone_on_its_output(folder: Path) -> None:
    said = run("keygen", "--member", "m9", "--out", "m9.key")
    assert sorted(json.loads(said.stdout)) == ["fingerprint", "id", "recipient"]
    assert "AGE-SECRET-KEY" not in said.output
    assert "Passphrase:" in said.stderr


def test_a_failed_sealing_leaves_nothing(folder: Path) -> None:
    (folder / ".hidden").write_bytes(b"")
    contents = options("--envelope", "qualification=letter.pdf", "price=.hidden")
    keys = ("--keys", "keys.json", "--published", "published.json")
    said = run("seal", *keys, "--bidder", "b", "--lot", "l", *contents, "--out", "sealed", ends_with=1)
    assert "wrong-shape" in said.stderr
    assert not (folder / "sealed").exists()
