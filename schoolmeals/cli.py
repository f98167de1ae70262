"""The ``schoolmeals`` command: flask's own commands and ours. Each says in its help what it does."""

import atexit
import os
from dataclasses import replace
from pathlib import Path

import click
from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate import upgrade

from schoolmeals.app import create_app
from schoolmeals.config import SettingError, Settings
from schoolmeals.embedded import EmbeddedServer
from schoolmeals.wallet.stripe_gateway import build_payments

DATABASE = "schoolmeals"


def database_settings(settings: Settings) -> Settings:
    """``settings`` with a database: their own, or the embedded server, which runs until this process ends."""
    if settings.database_url:
        return settings
    server = EmbeddedServer.start(settings.data_folder / "postgres")
    atexit.register(server.stop)
    server.ensure_database(DATABASE)
    return replace(settings, database_url=server.app_url(DATABASE), database_owner_url=server.owner_url(DATABASE))


def make_app() -> Flask:
    """The app of this environment, for the commands and for the servers that they start."""
    try:
        settings = database_settings(Settings.from_environment(os.environ))
        return create_app(settings, payments=build_payments(settings))
    except SettingError as error:
        raise click.ClickException(str(error)) from error


@click.group(cls=FlaskGroup, create_app=make_app, add_version_option=False)
@click.version_option(package_name="schoolmeals")
def main() -> None:
    """School meals: run it, look after it, prove its books."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest migration."""
    upgrade(directory=str(Path(__file__).resolve().parents[1] / "migrations"))
