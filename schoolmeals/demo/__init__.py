"""The demo city: invented schools and people, made only through the rooms' own actions, and a bank that moves no
money.
"""
