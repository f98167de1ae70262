"""School meals: tenders for school catering, and prepaid cards whose every meal a parent can see.

``create_app`` in :mod:`schoolmeals.app` builds the whole; ``docs/ARCHITECTURE.md`` is the map.
"""

__version__ = "0.1.0"
