"""The window through which parents look: what their child ate, what it cost, how long the money lasts.

*Child*: a pupil as a guardian sees them. *Notice*: one thing worth telling one guardian, pulled from what happened and
told once. *Pulse*: a token that changes when a parent's page does. Nothing imports this room, and nothing is kept here
but notices: what is shown is read from where it was written.

Never here: changing anything but read marks.
"""
