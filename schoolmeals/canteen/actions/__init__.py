"""The canteen's deeds, one file per stage: menus, taps, undoing, the day's end."""
