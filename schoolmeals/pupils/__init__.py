"""The pupils room."""
