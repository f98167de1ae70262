"""``python -m schoolmeals``: the same as the command ``schoolmeals``, and sooner there.

PostgreSQL starts beside us while we load what the command needs, and no collector goes through what is being loaded:
all of it stays.
"""

import gc
import os
import sys

from schoolmeals.config import SettingError, Settings
from schoolmeals.embedded import ahead


def begin_database() -> None:
    """Start the embedded server already, where this command will want it."""
    if sys.argv[1:2] != ["serve"] or {"--help", "--reset"} & set(sys.argv):
        return
    environment = {**os.environ, **({"SCHOOLMEALS_DEMO": "yes"} if "--demo" in sys.argv else {})}
    try:
        settings = Settings.from_environment(environment)
    except SettingError:
        return
    if not settings.database_url:
        ahead.begin(settings.data_folder / "postgres")


if __name__ == "__main__":
    gc.disable()
    begin_database()
    # Here and not above, so that the server has begun before the long part.
    from schoolmeals.cli import main

    gc.freeze()
    gc.enable()
    main(prog_name="schoolmeals")
