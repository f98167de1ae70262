"""PostgreSQL that comes along: no installation, no port, one folder; it runs while somebody uses it.

    with EmbeddedServer.start(Path("var/postgres")) as server:
        server.ensure_database("schoolmeals")
        engine = create_engine(server.app_url("schoolmeals"))

Two commands may use one server at the same time: the second joins the first, and the server stops with the last of
them, however that ends (``keeper.py``). It listens on a Unix socket in a folder that only its own user can enter, knows
people by the operating system (``peer``), and works as two login roles: one owns the databases, one uses them.
"""

from schoolmeals.embedded.binaries import Binaries, NoBinaries, find_binaries
from schoolmeals.embedded.place import EmbeddedError
from schoolmeals.embedded.server import EmbeddedServer

__all__ = ["Binaries", "EmbeddedError", "EmbeddedServer", "NoBinaries", "find_binaries"]
