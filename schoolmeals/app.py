"""The roof: ``create_app`` puts the rooms together. Only two seams are arguments: the clock and the payments."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_migrate import Migrate
from whitenoise import WhiteNoise

from schoolmeals import identity, mail
from schoolmeals.canteen import api as canteen_api
from schoolmeals.canteen import models as canteen_models
from schoolmeals.canteen import views as canteen_views
from schoolmeals.clock import Clock, system_clock
from schoolmeals.config import SettingError, Settings
from schoolmeals.database import APP_ROLE, db, keep_connections_honest
from schoolmeals.files import api as files_api
from schoolmeals.files import models as files_models
from schoolmeals.files import views as files_views
from schoolmeals.identity import api as identity_api
from schoolmeals.identity import models as identity_models
from schoolmeals.identity import views as identity_views
from schoolmeals.ledger.commands import ledger_commands
from schoolmeals.parents import api as parents_api
from schoolmeals.parents import models as parents_models
from schoolmeals.parents import views as parents_views
from schoolmeals.procurement import models as procurement_models
from schoolmeals.procurement import views as procurement_views
from schoolmeals.pupils import api as pupils_api
from schoolmeals.pupils import models as pupils_models
from schoolmeals.pupils import papers_api as pupil_papers_api
from schoolmeals.pupils import views as pupils_views
from schoolmeals.transparency import views as transparency_views
from schoolmeals.wallet import api as wallet_api
from schoolmeals.wallet import models as wallet_models
from schoolmeals.wallet import views as wallet_views
from schoolmeals.wallet.payments import PaymentProvider
from schoolmeals.web import api as web_api
from schoolmeals.web import formats, health, page, problems, security
from schoolmeals.web import views as web_views
from schoolmeals.web.frame import Frame, language

PACKAGE = Path(__file__).parent
TABLES = (
    files_models,
    identity_models,
    pupils_models,
    wallet_models,
    procurement_models,
    canteen_models,
    parents_models,
    mail,
)
"""Foreign keys between rooms are names; they resolve once every room's tables have been declared."""
ROOMS = ("web", "files", "ledger", "identity", "pupils", "wallet", "procurement", "canteen", "parents", "transparency")


class _App(Flask):
    """Flask without views of another colour: it asks of each view and hook in every request whether it is async."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """What is called: none of ours is async."""
        return func


def create_app(settings: Settings, *, clock: Clock = system_clock, payments: PaymentProvider | None = None) -> Flask:
    """The application for ``settings``, whose ``database_url`` must be given.

    ``clock`` gives the present instant; ``payments`` takes money by a hosted page, None leaves the cash desk alone.
    """
    if not settings.database_url:
        raise SettingError("DATABASE_URL is empty and no embedded server was started")
    app = _App("schoolmeals", static_folder=None, template_folder=None)
    app.extensions["schoolmeals"] = Frame(
        settings=settings,
        clock=clock,
        find_actor=identity.find_actor,
        keep_language=identity.keep_language,
        payments=payments,
    )
    _connect(app, settings)
    _speak(app, settings)
    security.register(app, settings)
    health.register(app)
    problems.register(app)
    formats.register(app)
    views = (
        parents_views,
        canteen_views,
        wallet_views,
        pupils_views,
        procurement_views,
        transparency_views,
        identity_views,
        files_views,
        web_views,
    )
    page.register(app, [item for room in views for item in room.navigation])
    for room in views:
        app.register_blueprint(room.pages)
    apis = (identity_api, pupils_api, pupil_papers_api, wallet_api, canteen_api, parents_api, files_api)
    web_api.register(app, [room.api for room in apis])
    app.cli.add_command(ledger_commands)
    _serve_files(app)
    # What has been loaded by now stays: the collector need not look at it again in the middle of a tap.
    gc.freeze()
    return app


def _connect(app: Flask, settings: Settings) -> None:
    # With one login for both roles, connections that work take the lesser one.
    role = "" if settings.database_owner_url else f" -c role={APP_ROLE}"
    app.config["TIME_ZONE"] = settings.time_zone
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": settings.database_pool_size,
        "pool_timeout": 10,
        # The same few connections again and again: each keeps what it knows of our tables in the processor's reach.
        "pool_use_lifo": True,
        "pool_reset_on_return": None,  # database.keep_connections_honest does
        "connect_args": {
            "options": f"-c timezone=UTC -c statement_timeout=20000 -c lock_timeout=8000{role}",
            "connect_timeout": 5,
            # What is worth preparing is prepared by schoolmeals.asking. The driver forgets its own statements, and with
            # them all others of the connection, at every rollback.
            "prepare_threshold": None,
        },
    }
    db.init_app(app)
    with app.app_context():
        keep_connections_honest(db.engine)
    Migrate(app, db, directory=str(health.MIGRATIONS))


def _speak(app: Flask, settings: Settings) -> None:
    """Each room keeps its own catalogues; Flask-Babel reads them as one."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(str(PACKAGE / room / "translations") for room in ROOMS)
    Babel(
        app,
        default_locale="en",
        default_timezone=settings.time_zone,
        locale_selector=language,
    )


def _serve_files(app: Flask) -> None:
    """Stylesheets, scripts and pictures are served by whitenoise before a request ever reaches Flask."""

    # The address of a file in a page carries a fingerprint of its content (web.page), so what it names never changes.
    # Scripts import each other by plain addresses; those are asked for again after a minute.
    whitenoise: Any = WhiteNoise(app.wsgi_app, immutable_file_test=lambda path, _url: not path.endswith(".js"))
    for room in ROOMS:
        folder = PACKAGE / room / "static"
        if folder.is_dir():
            whitenoise.add_files(str(folder), prefix=f"static/{room}/")
    app.wsgi_app = whitenoise  # type: ignore[method-assign]
