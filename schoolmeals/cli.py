"""The ``schoolmeals`` command: flask's own commands and ours. Each says in its help what it does."""

import atexit
import os
import shutil
import sys
from dataclasses import replace
from functools import partial

import click
import psycopg
from flask import Flask, current_app
from flask.cli import FlaskGroup, with_appcontext
from flask_migrate import upgrade
from sqlalchemy.exc import DBAPIError

from schoolmeals import identity
from schoolmeals import serve as supervisor
from schoolmeals.actors import SYSTEM, Role
from schoolmeals.app import create_app
from schoolmeals.config import SettingError, Settings
from schoolmeals.database import APP_ROLE, db, transaction
from schoolmeals.demo.bank import create_demo_app
from schoolmeals.demo.city import demo_people, is_unfinished, seed_city, till_codes
from schoolmeals.demo.side_by_side import Interrupted
from schoolmeals.doctor import print_report
from schoolmeals.embedded import EmbeddedError, EmbeddedServer, NoBinaries, ahead
from schoolmeals.identity.codes import shown_code
from schoolmeals.identity.queries import organisations
from schoolmeals.procurement.score_commands import tender_commands
from schoolmeals.procurement.sealing_commands import bid_commands
from schoolmeals.pupils.commands import import_roster
from schoolmeals.transparency.commands import trace_receipt
from schoolmeals.wallet.stripe_gateway import build_payments
from schoolmeals.web.frame import frame
from schoolmeals.web.health import MIGRATIONS, count_together, readiness
from schoolmeals.worker import run_worker

DATABASE = "schoolmeals"
WORKER_NICENESS = 5


def database_settings(settings: Settings) -> Settings:
    """``settings`` with a database: their own, or the embedded server, which runs until this process ends."""
    if settings.database_url:
        return settings
    server = ahead.server_of(settings.data_folder / "postgres")
    atexit.register(server.stop)
    os.register_at_fork(after_in_child=server.let_go)
    server.ensure_database(DATABASE)
    return replace(settings, database_url=server.app_url(DATABASE), database_owner_url=server.owner_url(DATABASE))


def make_app() -> Flask:
    """The app of this environment, for the commands and for the servers that they start."""
    try:
        return _app_of(database_settings(Settings.from_environment(os.environ)))
    except (SettingError, EmbeddedError, NoBinaries) as error:
        raise click.ClickException(str(error)) from error


def _app_of(settings: Settings) -> Flask:
    if settings.demo and not settings.stripe_secret_key:
        return create_demo_app(settings)
    return create_app(settings, payments=build_payments(settings))


class Commands(FlaskGroup):
    """Flask's commands and ours; a database that cannot be used is told in a sentence, not in a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Raises click.ClickException where PostgreSQL is not there or does not let us."""
        try:
            return super().invoke(ctx)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.OperationalError | psycopg.errors.InsufficientPrivilege):
                raise click.ClickException(_what_the_database_says(error.orig)) from error
            raise


def _what_the_database_says(error: psycopg.Error) -> str:
    said = error.diag.message_primary or str(error)
    hint = error.diag.message_hint or ""
    if "permission denied to set role" in said:
        hint = f"Let an administrator run: GRANT {APP_ROLE} TO the role that DATABASE_URL names;"
    return f"The database: {said}\n{hint}".strip()


@click.group(cls=Commands, create_app=make_app, add_version_option=False)
@click.version_option(package_name="schoolmeals")
def main() -> None:
    """School meals: run it, look after it, prove its books."""


main.add_command(import_roster)
main.add_command(bid_commands)
main.add_command(tender_commands)
main.add_command(trace_receipt)


@main.command()
@with_appcontext
def migrate() -> None:
    """Bring the database to the newest migration."""
    upgrade(directory=str(MIGRATIONS))


@main.command()
@click.option("--once", is_flag=True, help="Do what is due and stop.")
def worker(once: bool) -> None:
    """Do the jobs that deeds have promised, and what is due by the clock."""
    run_worker(current_app._get_current_object(), wait=not once)  # type: ignore[attr-defined]


@main.command(with_appcontext=False)
def doctor() -> None:
    """Say what is there and what is missing on this machine."""
    sys.exit(print_report(click.echo))


@main.command("first-admin")
@click.argument("name")
@with_appcontext
def first_admin(name: str) -> None:
    """Invite NAME to be a city admin. The city itself and the public holidays are added where they are missing."""
    city = frame().settings.city_name
    with transaction(SYSTEM, frame().clock()) as work:
        identity.seed_calendar(work, range(work.today.year, work.today.year + 2))
        found = organisations(work, ["city"])
        city_id = (
            found[0].id
            if found
            else identity.new_organisation(work, kind="city", name_kk=city, name_ru=city, name_en=city)
        )
        keys = identity.Keyring.of(frame().settings.secret_key)
        _, code = identity.invite(work, city_id, Role.CITY_ADMIN, name, keys=keys)
    click.echo(f"Open {frame().settings.base_url}/join within 7 days and type {shown_code(code)}.")


@main.command()
@click.option("--schools", default=4, show_default=True, help="How many schools.")
@click.option("--pupils", default=800, show_default=True, help="How many pupils in all.")
@click.option("--days", default=30, show_default=True, help="How many school days of taps before today.")
@with_appcontext
def demo(schools: int, pupils: int, days: int) -> None:
    """Make the demo city in an empty database."""
    if not frame().settings.demo:
        raise click.ClickException("The demo city is made in demo mode only: set SCHOOLMEALS_DEMO=yes.")
    if demo_people() or is_unfinished():
        raise click.ClickException("There are schools here already. The demo city wants an empty database.")
    _make_city(schools=schools, pupils=pupils, days=days)


def _make_city(**size: int) -> None:
    try:
        seed_city(frame().clock(), zone=frame().zone, **size)
    except Interrupted as error:
        raise click.ClickException("The demo city was not finished; what went wrong is above.") from error


@main.command(with_appcontext=False)
@click.option("--demo", "is_demo", is_flag=True, help="Demo mode: invented people, one tap to be any of them.")
@click.option("--reset", is_flag=True, help="Forget everything first (embedded demo database only).")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--processes", default=2, show_default=True, help="Web processes.")
@click.option("--threads", default=8, show_default=True, help="Threads in each of them.")
@click.option("--worker/--no-worker", "with_worker", default=True, help="Do the jobs too, or leave them to another.")
def serve(is_demo: bool, reset: bool, host: str, port: int, processes: int, threads: int, with_worker: bool) -> None:
    """Migrate, seed the demo the first time, and serve pages and jobs until Ctrl-C."""
    serving = supervisor.Serving(host=host, port=port, web_processes=processes, web_threads=threads)
    if is_demo:
        os.environ.setdefault("SCHOOLMEALS_DEMO", "yes")
        os.environ.setdefault("SCHOOLMEALS_BASE_URL", serving.shown_address)
    try:
        supervisor.refuse_taken_port(host, port)
        settings = Settings.from_environment(os.environ)
        is_embedded = not settings.database_url
        if reset:
            _forget(settings)
        app = _app_of(database_settings(settings))
        _prepare(app, is_embedded=is_embedded)
        count_together(settings.data_folder / "metrics" / str(port))
        programs: dict[str, supervisor.Program] = {"web server": partial(supervisor.run_web, app, serving)}
        if with_worker:
            programs["worker"] = partial(_work_beside, app)
        supervisor.serve(serving, programs, partial(_welcome, app, serving))
    except (SettingError, EmbeddedError, NoBinaries, supervisor.ServeError) as error:
        raise click.ClickException(str(error)) from error


def _work_beside(app: Flask) -> None:
    """Work as one who lets the pages go first: papers and the demo's tenders take a processor for minutes."""
    os.nice(WORKER_NICENESS)
    run_worker(app)


def _forget(settings: Settings) -> None:
    if settings.database_url or not settings.demo:
        raise click.ClickException("--reset forgets the embedded demo database only; drop your own database yourself.")
    with EmbeddedServer.start(settings.data_folder / "postgres") as server:
        try:
            server.drop_database(DATABASE, even_in_use=False)
        except psycopg.errors.ObjectInUse as error:
            raise click.ClickException("School meals is running with this data. Stop it first, then reset.") from error
    shutil.rmtree(settings.data_folder / "demo-bank", ignore_errors=True)


def _prepare(app: Flask, *, is_embedded: bool) -> None:
    """Migrate; in a demo make the city where there is none, and make it anew where that was interrupted."""
    if _migrate_and_seed(app):
        return
    if not is_embedded:
        raise click.ClickException("Making the demo city was interrupted in this database. Give it an empty one.")
    click.echo("Making the demo city was interrupted last time; it is made anew.", err=True)
    with app.app_context():
        data_folder = frame().settings.data_folder
    with EmbeddedServer.start(data_folder / "postgres") as server:
        server.drop_database(DATABASE)
        server.ensure_database(DATABASE)
    _migrate_and_seed(app)


def _migrate_and_seed(app: Flask) -> bool:
    """Whether the database is ready; it is not where a demo city was begun and not finished."""
    with app.app_context():
        try:
            click.echo("Database ...", err=True)
            if not _is_migrated():
                upgrade(directory=str(MIGRATIONS))
            if not frame().settings.demo or demo_people():
                return True
            if is_unfinished():
                return False
            _make_city()
            return True
        finally:
            # Children that are forked from here must not share a connection.
            db.engine.dispose()


def _is_migrated() -> bool:
    """Whether the database is at the newest migration. One look spares most starts a whole run of alembic."""
    return bool(readiness(db.engine)["checks"].get("migrations") == "ok")


def _welcome(app: Flask, serving: supervisor.Serving) -> None:
    click.echo()
    click.echo(f"  School meals is at  {click.style(serving.shown_address, bold=True)}")
    with app.app_context():
        if frame().settings.demo:
            click.echo("  On the sign-in page, one tap makes you any of these people:")
            for line in demo_people():
                click.echo(f"    {line}")
            _show_tills(serving)
    click.echo("  Ctrl-C stops it.")
    click.echo()


def _show_tills(serving: supervisor.Serving) -> None:
    """How a visitor makes a browser a till."""
    codes = till_codes()
    if codes:
        click.echo(
            f"  A till is any browser that opens {serving.shown_address}/till/enrol and types the code of a school:"
        )
        click.echo(f"    {', '.join(f'{name}: {code}' for name, code in codes)}")
