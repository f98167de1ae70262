"""The room's deeds, one file for each stage of a tender. Each has its row in ``rules.permissions``."""
