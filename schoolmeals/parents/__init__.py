"""The parents room."""
