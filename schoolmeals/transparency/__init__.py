"""The window through which everybody looks: who feeds a school, at what price, and what is on the table today.

*School's page*: what is public of one school, put together from the rooms that know it. Nothing imports this room, and
nothing is kept here.

Never here: a pupil, a parent, who pays how much, and changing anything at all.
"""
