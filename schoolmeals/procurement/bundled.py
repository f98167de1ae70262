"""Whether this installation has the scripts by which browsers seal and open bids. ``script/bundle`` makes them from
packages of the npm registry; where that could not be reached, everything else is served without them.
"""

from pathlib import Path
from typing import Final

BUILT: Final = Path(__file__).parent / "static" / "built"


def can_seal() -> bool:
    """Whether the scripts were bundled. The stamp is written last."""
    return (BUILT / "stamp").is_file()
