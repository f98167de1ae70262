"""Deeds on the roll: pupils and classes, photos, cards, guardians, and whole rolls from files."""
