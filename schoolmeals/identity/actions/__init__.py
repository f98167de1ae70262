"""The room's deeds, one file for each part of it."""
