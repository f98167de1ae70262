"""``schoolmeals tender``: compute a published score sheet again, without a server and without a database."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import click

from schoolmeals.procurement.rules.sheet import first_difference

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("tender")
def tender_commands() -> None:
    """Check what tenders publish, here, without a server."""


@tender_commands.command("recompute")
@click.argument("file", type=FILE)
def recompute(file: Path) -> None:
    """Compute every point and the ranking of a score sheet again, from FILE (scores.json) alone.

    Prints the file's SHA-256, which the tender's history has too, and the ranking. Fails where anything in the file
    does not follow from it, and names the first such place.
    """
    data = file.read_bytes()
    try:
        sheet = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{file.name} is no JSON: {error}") from error
    difference = first_difference(sheet if isinstance(sheet, dict) else {})
    if difference is not None:
        raise click.ClickException(difference)
    click.echo(f"SHA-256  {hashlib.sha256(data).hexdigest()}")
    for line in _lines(sheet):
        click.echo(line)
    click.echo("Every point and the ranking follow from this file.")


def _lines(sheet: dict[str, Any]) -> list[str]:
    """The ranking of each lot, one line for each bid."""
    tenderers = {bid["bid_id"]: bid["tenderer"] for bid in sheet["inputs"]["bids"]}
    lines = []
    for lot in sheet["inputs"]["lots"]:
        lines.append(f"Lot {lot['position']}")
        for one in sheet["results"]["lots"][lot["lot_id"]]["ranking"]:
            whole, rest = divmod(abs(one["points_milli"]), 1000)
            sign, part = "-" if one["points_milli"] < 0 else "", f".{rest:03}".rstrip("0") if rest else ""
            name = tenderers[one["bid_id"]]["name"]
            decided = f" ({one['decided_by']})" if one["decided_by"] else ""
            shown = f"{sign}{whole}{part} points, {one['value_minor']}{decided}"
            lines.append(f"  {one['rank']}. {name['en'] or name['kk']}: {shown}")
    return lines
