"""Tenders, from the plan to the signed contract, with bids that nobody can read early."""
