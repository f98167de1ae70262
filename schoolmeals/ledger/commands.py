"""``schoolmeals ledger``: prove the books, take them away."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import click
from flask.cli import with_appcontext

from schoolmeals.actors import SYSTEM
from schoolmeals.database import reading
from schoolmeals.ledger.beancount import export, lines_to_come
from schoolmeals.ledger.proofs import LAWS, Finding, prove
from schoolmeals.web.frame import frame

LINES_A_STEP: Final = 1_000
"""Of the bar: drawing it anew for each line would take longer than the line."""


@click.group("ledger")
def ledger_commands() -> None:
    """Prove the books, or write them to a file."""


@ledger_commands.command("check")
@with_appcontext
def check() -> None:
    """Prove every law of the books on the live database. Ends with 1 where one is broken."""
    findings: list[Finding] = []
    with (
        reading(SYSTEM, frame().clock()) as look,
        click.progressbar(prove(look), length=len(LAWS), label="Proving the books", file=sys.stderr) as proving,
    ):
        findings.extend(proving)
    for finding in findings:
        click.echo(f"{'holds ' if finding.holds else 'BROKEN'}  {finding.law.sentence}")
        for example in finding.examples:
            click.echo(f"        {example}")
    if not all(finding.holds for finding in findings):
        sys.exit(1)


@ledger_commands.command("export")
@click.option("--format", "form", type=click.Choice(["beancount"]), default="beancount", show_default=True)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@with_appcontext
def export_books(form: str, file: str) -> None:
    """Write the books to FILE (standard output by default) for another program to add up.

    FILE is there once it is whole: an interruption leaves what was there before.
    """
    with (
        reading(SYSTEM, frame().clock()) as look,
        _whole(file) as written,
        click.progressbar(
            export(look, frame().zone),
            length=lines_to_come(look),
            label="Writing the books",
            file=sys.stderr,
            update_min_steps=LINES_A_STEP,
        ) as lines,
    ):
        written.writelines(f"{line}\n" for line in lines)
    click.echo(f"Wrote the books as {form}.", err=True)


@contextmanager
def _whole(name: str) -> Iterator[IO[str]]:
    """The file ``name`` for writing; under its name only once all of it is written. Raises click.FileError."""
    path = Path(name).resolve()
    try:
        if name == "-" or (path.exists() and not path.is_file()):
            with click.open_file(name, "w", encoding="utf-8") as stream:
                yield stream
            return
        unfinished = path.with_name(f"{path.name}.unfinished")
        try:
            with unfinished.open("w", encoding="utf-8") as half:
                yield half
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise click.FileError(name, hint=error.strerror) from error
