"""``schoolmeals bid``: seal, open and check bids on one's own machine, without a server and without a database."""

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

import click

from schoolmeals.procurement.sealing import (
    KeySet,
    Manifest,
    Member,
    OpenedEnvelope,
    OpenedShare,
    PublishedKeys,
    SealingFault,
    SourceFile,
    manifest_digest,
    new_member_key,
    new_passphrase,
    open_envelope,
    open_share,
    open_with_recovery,
    published_keys,
    recorded_manifest,
    recovery_identities,
    require_ciphertext,
    require_published,
    seal_bid,
    shown_fingerprint,
    submitted_manifest,
    unwrap,
    wrap,
)

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER: Final = click.Path(file_okay=False, path_type=Path)
MEDIA_TYPES: Final = {".json": "application/json", ".pdf": "application/pdf", ".png": "image/png", ".csv": "text/csv"}


@click.group("bid")
def bid_commands() -> None:
    """Seal, open and check bids here, without a server. docs/sealing.md tells how."""


@contextmanager
def _faults_told() -> Iterator[None]:
    try:
        yield
    except SealingFault as fault:
        raise click.ClickException(f"{fault} ({fault.fault.code})") from fault
    except (OSError, KeyError) as error:
        raise click.ClickException(str(error)) from error


@bid_commands.command("keygen")
@click.option("--member", "member_id", required=True, help="The member's id in the notice.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The key file to write.")
def keygen(member_id: str, out: Path) -> None:
    """Make a member's key for one tender: the key file, its passphrase (shown once) and the public part as JSON."""
    identity, recipient = new_member_key()
    passphrase = new_passphrase()
    with _faults_told():
        _write_private(out, wrap(identity, passphrase))
    member = Member(member_id, recipient)
    click.echo(json.dumps({"id": member.id, "recipient": recipient, "fingerprint": member.fingerprint}))
    click.echo(f"Fingerprint: {shown_fingerprint(member.fingerprint)}", err=True)
    click.echo(f"Passphrase:  {passphrase}   Write it down; it is not kept anywhere.", err=True)


@bid_commands.command("keys")
@click.option("--tender", required=True, help="The tender's id.")
@click.option("--needed", "k", required=True, type=int, help="How many members open a bid (k).")
@click.option("--member", "files", required=True, multiple=True, type=FILE, help="What keygen said, for each member.")
@click.option("--out", required=True, type=FOLDER, help="Where keys.json and published.json go.")
def gather_keys(tender: str, k: int, files: Sequence[Path], out: Path) -> None:
    """Make the key set of a tender, and what its notice has to publish, from the members' public parts."""
    said = [json.loads(file.read_bytes()) for file in files]
    with _faults_told():
        keys = KeySet(tender, k, tuple(Member(one["id"], one["recipient"]) for one in said))
        out.mkdir(parents=True, exist_ok=True)
        (out / "keys.json").write_bytes(keys.to_bytes())
        (out / "published.json").write_bytes(published_keys(keys).to_bytes())
    click.echo(keys.sha256)


@bid_commands.command("seal")
@click.option("--keys", required=True, type=FILE, help="The tender's key set, keys.json.")
@click.option("--published", type=FILE, help="What the notice published about the keys, published.json.")
@click.option("--key-digest", "key_set_sha256", help="Instead: the key set's digest as the notice prints it.")
@click.option("--bidder", required=True, help="The bidder's id.")
@click.option("--lot", "lots", required=True, multiple=True, help="The id of a lot; may be given several times.")
@click.option("--envelope", "contents", required=True, multiple=True, metavar="NAME=FILE", help="Each file to seal.")
@click.option("--bid-id", default=lambda: str(uuid.uuid4()), help="A UUID; a new one unless told.")
@click.option("--replaces", default="", help="The digest of the manifest that this bid takes the place of.")
@click.option("--out", required=True, type=FOLDER, help="A new folder for the sealed bid.")
def seal(
    keys: Path,
    published: Path | None,
    key_set_sha256: str | None,
    contents: Sequence[str],
    lots: Sequence[str],
    out: Path,
    **facts: str,
) -> None:
    """Seal files to the commission: manifest.json, one .age file for each envelope, and recovery.json.

    Keep recovery.json to yourself: it opens the bid without the commission.
    """
    with _faults_told():
        key_set = KeySet.from_bytes(keys.read_bytes())
        known = _published(key_set, published, key_set_sha256)
        envelopes = _envelopes(contents)
        require_published(key_set, known)
        out.mkdir(parents=True)
        with _Writers(out) as writers:
            sealed = seal_bid(key_set, known, envelopes, writers.open, lot_ids=lots, **facts)
        (out / "manifest.json").write_bytes(sealed.manifest)
        _write_private(out / "recovery.json", sealed.recovery)
    click.echo(sealed.manifest_sha256)


@bid_commands.command("share")
@click.option("--keys", required=True, type=FILE, help="The tender's key set, keys.json.")
@click.option("--manifest", required=True, type=FILE, help="The bid's manifest.")
@click.option("--digest", "sha256", required=True, help="The manifest's digest in the receipt.")
@click.option("--member", "member_id", required=True, help="Whose key it is.")
@click.option("--key", required=True, type=FILE, help="The member's key file; its passphrase is asked for.")
@click.option("--out", required=True, type=FOLDER, help="Where the opened shares go, one file for each envelope.")
def share(keys: Path, manifest: Path, sha256: str, member_id: str, key: Path, out: Path) -> None:
    """A member's part of an opening: open the own shares, to be handed to whoever combines them."""
    with _faults_told():
        recorded = _recorded(keys, manifest, sha256)
        identity = _unwrapped(key, member_id)
        out.mkdir(parents=True, exist_ok=True)
        for name in recorded.bid.envelopes:
            file = out / f"{name}.{member_id}.share.json"
            file.write_bytes(open_share(recorded, name, member_id, identity).to_bytes())
            click.echo(file)


@bid_commands.command("open")
@click.option("--keys", required=True, type=FILE, help="The tender's key set, keys.json.")
@click.option("--manifest", required=True, type=FILE, help="The bid's manifest; the .age files lie beside it.")
@click.option("--digest", "sha256", required=True, help="The manifest's digest in the receipt.")
@click.option("--share", "share_files", multiple=True, type=FILE, help="An opened share; give k of them.")
@click.option("--key", "keys_of", multiple=True, metavar="MEMBER=FILE", help="Or: a member's key file.")
@click.option("--recovery", type=FILE, help="Or: the bidder's recovery.json.")
@click.option("--envelope", "names", multiple=True, help="Which envelopes; all of them unless told.")
@click.option("--out", required=True, type=FOLDER, help="A new folder for what was sealed.")
def open_bid(
    keys: Path,
    manifest: Path,
    sha256: str,
    share_files: Sequence[Path],
    keys_of: Sequence[str],
    recovery: Path | None,
    names: Sequence[str],
    out: Path,
) -> None:
    """Open a sealed bid and write its files. Prints for each envelope the SHA-256 of all its files together."""
    with _faults_told():
        recorded = _recorded(keys, manifest, sha256)
        identities = recovery_identities(recovery.read_bytes(), manifest_sha256=sha256) if recovery else {}
        handed_in = [OpenedShare.from_bytes(file.read_bytes()) for file in share_files]
        unwrapped = {member: _unwrapped(file, member) for member, file in map(_pair, keys_of)}
        for name in names or recorded.bid.envelopes:
            with (manifest.parent / f"{name}.age").open("rb") as ciphertext:
                if recovery:
                    opened = open_with_recovery(recorded, name, identities[name], ciphertext)
                else:
                    own = [open_share(recorded, name, member, key) for member, key in unwrapped.items()]
                    given = [one for one in handed_in if one.envelope == name]
                    opened = open_envelope(recorded, name, [*given, *own], ciphertext)
            _write_opened(opened, out / name)


@bid_commands.command("verify")
@click.option("--keys", required=True, type=FILE, help="The tender's key set, keys.json.")
@click.option("--published", type=FILE, help="What the notice published about the keys, published.json.")
@click.option("--key-digest", "key_set_sha256", help="Instead: the key set's digest as the notice prints it.")
@click.option("--manifest", required=True, type=FILE, help="The bid's manifest; the .age files lie beside it.")
@click.option("--digest", "sha256", help="The manifest's digest in the receipt.")
def verify(keys: Path, published: Path | None, key_set_sha256: str | None, manifest: Path, sha256: str | None) -> None:
    """Check keys, manifest and sealed files against notice and receipt, without opening anything."""
    with _faults_told():
        key_set = KeySet.from_bytes(keys.read_bytes())
        require_published(key_set, _published(key_set, published, key_set_sha256))
        click.echo("holds   the keys are those of the notice")
        data = manifest.read_bytes()
        checked = recorded_manifest(data, key_set, sha256=sha256) if sha256 else submitted_manifest(data, key_set)
        click.echo(f"holds   the manifest is {manifest_digest(data)}")
        for envelope in checked.envelopes:
            with (manifest.parent / f"{envelope.name}.age").open("rb") as ciphertext:
                require_ciphertext(envelope, ciphertext)
            click.echo(f"holds   {envelope.name}.age is the file that the manifest names")


def _published(keys: KeySet, file: Path | None, key_set_sha256: str | None) -> PublishedKeys:
    if file:
        return PublishedKeys.from_bytes(file.read_bytes())
    if key_set_sha256:
        return PublishedKeys(keys.tender_id, key_set_sha256.strip().lower())
    raise click.UsageError("Say what the notice published about the keys: a file or its digest.")


def _recorded(keys: Path, manifest: Path, sha256: str) -> Manifest:
    return recorded_manifest(manifest.read_bytes(), KeySet.from_bytes(keys.read_bytes()), sha256=sha256)


def _pair(text: str) -> tuple[str, Path]:
    name, _, file = text.partition("=")
    if not file or not Path(file).is_file():
        raise click.UsageError(f"NAME=FILE is wanted, and the file has to be there: {text}")
    return name, Path(file)


def _envelopes(contents: Sequence[str]) -> dict[str, list[SourceFile]]:
    """The files by envelope, in the order in which they were given."""
    envelopes: dict[str, list[SourceFile]] = {}
    for name, file in map(_pair, contents):
        media_type = MEDIA_TYPES.get(file.suffix.lower(), "application/octet-stream")
        envelopes.setdefault(name, []).append(SourceFile.of_path(file, media_type))
    return envelopes


def _unwrapped(key_file: Path, member_id: str) -> str:
    passphrase = click.prompt(f"Passphrase of {member_id}", hide_input=True, err=True)
    return unwrap(key_file.read_bytes(), passphrase)


def _write_private(file: Path, content: bytes) -> None:
    """Write what only its owner may read; never over something that is there."""
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(content)


def _write_opened(opened: OpenedEnvelope, folder: Path) -> None:
    folder.mkdir(parents=True)
    for file in opened.header.files:
        with (folder / file.name).open("xb") as writer:
            for chunk in opened.chunks(file.name):
                writer.write(chunk)
    for fault in opened.set_aside:
        click.echo(f"Set aside: the share of member {fault.member_id} ({fault.code}).", err=True)
    click.echo(f"{opened.header.envelope} {opened.plaintext_sha256}")
    opened.close()


class _Writers:
    """The sealed files while they are written; where sealing fails, none of them stays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: list[IO[bytes]] = []

    def open(self, name: str) -> IO[bytes]:
        writer = (self._folder / f"{name}.age").open("xb")
        self._open.append(writer)
        return writer

    def __enter__(self) -> "_Writers":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        for writer in self._open:
            writer.close()
            if kind is not None:
                Path(writer.name).unlink()
        if kind is not None:
            with suppress(OSError):
                self._folder.rmdir()
