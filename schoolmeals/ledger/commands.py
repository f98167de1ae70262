"""``schoolmeals ledger``: prove the books, take them away."""

import sys
from typing import TextIO

import click
from flask.cli import with_appcontext

from schoolmeals.actors import SYSTEM
from schoolmeals.database import reading
from schoolmeals.ledger.beancount import export
from schoolmeals.ledger.proofs import LAWS, Finding, prove
from schoolmeals.web.frame import frame


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
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
@with_appcontext
def export_books(form: str, file: TextIO) -> None:
    """Write the books to FILE (standard output by default) for another program to add up."""
    with reading(SYSTEM, frame().clock()) as look:
        file.writelines(f"{line}\n" for line in export(look, frame().zone))
    click.echo(f"Wrote the books as {form}.", err=True)
