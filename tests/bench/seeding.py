"""How long making the default demo city takes, and whose processor it takes."""

import resource
import time
from pathlib import Path
from typing import Final

from flask_migrate import upgrade

from schoolmeals.app import create_app
from schoolmeals.clock import system_clock
from schoolmeals.config import Settings
from schoolmeals.database import db
from schoolmeals.demo.city import seed_city
from schoolmeals.embedded import EmbeddedServer
from schoolmeals.web.frame import frame
from schoolmeals.web.health import MIGRATIONS
from tests.bench.ground import SECRET

DATABASE: Final = "seed"
TICKS: Final = 100
"""Of /proc, in a second."""


def measure(server: EmbeddedServer) -> dict[str, float]:
    """Seconds from an empty migrated database to the whole city, and processor seconds of ours and of PostgreSQL's."""
    server.ensure_database(DATABASE)
    app = create_app(
        Settings(
            demo=True,
            secret_key=SECRET,
            database_url=server.app_url(DATABASE),
            database_owner_url=server.owner_url(DATABASE),
            base_url="http://localhost",
        )
    )
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
        begun, ours, theirs = time.perf_counter(), _our_seconds(), server_seconds(server.data)
        seed_city(system_clock(), zone=frame().zone)
        passed = time.perf_counter() - begun
        db.engine.dispose()
    return {
        "seconds": round(passed, 1),
        "our_cpu_seconds": round(_our_seconds() - ours, 1),
        "database_cpu_seconds": round(server_seconds(server.data) - theirs, 1),
    }


def _our_seconds() -> float:
    """Processor time of this process and of those that it has started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def server_seconds(data: Path) -> float:
    """Processor time of the server, of its processes that have ended and of those that live."""
    first = (data / "postmaster.pid").read_text(encoding="ascii").split("\n", maxsplit=1)[0]
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, which may hold blanks: state, parent, ..., and from the twelfth on the times.
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if path.parent.name == first:
            ticks += sum(int(one) for one in fields[11:15])
        elif fields[1] == first:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS
