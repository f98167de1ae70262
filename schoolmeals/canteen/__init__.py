"""The canteen room."""
