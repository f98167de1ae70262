"""``schoolmeals import-roster``: a roll from a file, on the command line."""

from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask.cli import with_appcontext
from flask_babel import force_locale, gettext

from schoolmeals import identity
from schoolmeals.actors import SYSTEM
from schoolmeals.database import reading, transaction
from schoolmeals.errors import NotFound, Refusal
from schoolmeals.identity import OrganisationFacts
from schoolmeals.keys import derive_key
from schoolmeals.pupils.actions.imports import apply_roster, confirm_roster, preview_roster, upload_roster
from schoolmeals.pupils.jobs import ROWS_A_PART
from schoolmeals.pupils.roster import SENTENCES, Roster
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.roster_loading import roster_import, school_names
from schoolmeals.web.frame import frame
from schoolmeals.workdays import local_day


@click.command("import-roster")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--school", required=True, help="The school's id or BIN.")
@click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
@click.option("--leaving", default="", help="The number of pupils who leave, where that is more than a fifth.")
@with_appcontext
def import_roster(file: Path, school: str, dry_run: bool, leaving: str) -> None:
    """Import a roll: a OneRoster 1.1 or 1.2 zip, a CSV or an XLSX."""
    with force_locale("en"):
        try:
            import_roster_file(file, school, dry_run=dry_run, typed=leaving)
        except Refusal as refusal:
            raise click.ClickException(gettext(refusal.sentence) % refusal.params) from refusal


def import_roster_file(path: Path, school: str, *, dry_run: bool = False, typed: str = "") -> None:
    """Read, preview and, but for ``dry_run``, apply the roll in ``path`` with a progress bar. Raises Refusal."""
    here = frame()
    place = _school(school)
    with reading(SYSTEM, here.clock()) as look:
        names = school_names(look, place.id)
    content = path.read_bytes()
    key = derive_key(here.settings.secret_key, "pupils sourced ids")
    roster = read_roster(path.name, content, key=key, school_names=names)
    with reading(SYSTEM, here.clock()) as look:
        preview = preview_roster(look, place.id, roster)
    _print_preview(place, path.name, preview, roster)
    if dry_run:
        return
    with transaction(SYSTEM, here.clock()) as work:
        file_key = derive_key(here.settings.secret_key, "pupils roster files")
        import_id = upload_roster(
            work, place.id, file_name=path.name, content=content, roster=roster, file_key=file_key
        )
        total = roster_import(work, place.id, import_id).rows_total
    with transaction(SYSTEM, here.clock()) as work:
        confirm_roster(work, place.id, import_id, roster=roster, typed=typed)
    _apply(place.id, import_id, roster, total)


def _school(text: str) -> OrganisationFacts:
    """The school with that id or BIN. Raises NotFound."""
    with reading(SYSTEM, frame().clock()) as look:
        found = [one for one in identity.schools(look) if text in (str(one.id), one.identifier)]
    if not found:
        raise NotFound
    return found[0]


def _print_preview(place: OrganisationFacts, file_name: str, preview: dict[str, Any], roster: Roster) -> None:
    click.echo(f"{place.name('en')}: {file_name} ({roster.source})")
    for name, count in preview["counts"].items():
        click.echo(f"  {name.replace('_', ' '):<16}{count:>7}")
    for one in roster.problems:
        click.echo(f"  {one.file}:{one.line} {one.column}: {gettext(SENTENCES[one.code]) % one.params}", err=True)


def _apply(school_id: UUID, import_id: UUID, roster: Roster, total: int) -> None:
    here = frame()
    with click.progressbar(length=total, label="Writing") as bar:
        is_whole = False
        while not is_whole:
            now = here.clock()
            today = local_day(now, here.zone)
            with transaction(SYSTEM, now) as work:
                is_whole = apply_roster(work, school_id, import_id, roster=roster, today=today, at_once=ROWS_A_PART)
                done = roster_import(work, school_id, import_id).rows_done
            bar.update(done - bar.pos)
