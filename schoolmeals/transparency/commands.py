"""``schoolmeals trace``: walk from a receipt back to the tender, on the live database."""

import sys
from uuid import UUID

import click
from flask.cli import with_appcontext

from schoolmeals.actors import PUBLIC
from schoolmeals.database import reading
from schoolmeals.errors import NotFound
from schoolmeals.procurement import ServerKeys
from schoolmeals.transparency.tracing import Step, Trace, trace
from schoolmeals.web.frame import frame


@click.command("trace")
@click.argument("receipt", type=click.UUID)
@with_appcontext
def trace_receipt(receipt: UUID) -> None:
    """Walk from RECEIPT (a sale's id) to menu, contract, award, bid and tender, and look at each step anew.

    Sums are in minor units. Ends with 1 where something does not hold.
    """
    try:
        with reading(PUBLIC, frame().clock()) as look:
            found = trace(look, receipt, keys=ServerKeys.of(frame().settings.secret_key), open_up_to=None)
    except NotFound as error:
        raise click.ClickException("No such receipt, or nothing was sold by it.") from error
    for text in _lines(found):
        click.echo(text)
    if not found.holds:
        sys.exit(1)


def _lines(found: Trace) -> list[str]:
    sold = found.sold
    head = f"{found.school.name('en')}, {sold.day}, {sold.total_minor} {sold.currency}"
    lines = [f"{_word(sold.adds_up)}  receipt   {sold.receipt}  {head}{', taken back' if sold.is_undone else ''}"]
    for line in found.lines:
        name = line.sold.names["en"] or line.sold.names["kk"]
        lines.append(f"        {line.sold.quantity} x {name}, {line.sold.price_minor}")
        lines += [_told(step) for step in line.steps]
        if line.price is None:
            lines.append("        No contract stands behind this price.")
    return lines


def _told(step: Step) -> str:
    facts = "  ".join(f"{name}={value}" for name, value in step.facts.items() if value is not None)
    return f"{_word(step.holds)}  {step.code:<8}  {facts}"


def _word(holds: bool) -> str:
    return "holds " if holds else "BROKEN"
