"""``python -m schoolmeals``: the same as the command ``schoolmeals``."""

from schoolmeals.cli import main

main(prog_name="schoolmeals")
