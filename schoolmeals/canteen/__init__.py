"""The canteen: menus, tills and sales; the bridge between a child's lunch and the books.

*Sitting*: when a meal is served. *Menu*: what one sitting of one day offers, in versions. *Set meal*: the meal of an
age group, always served. *Buffet item*: what may be bought beside it. *Tap*: one order at a till. *Sale*: a tap and its
answer, served or refused, never changed. *Undo*: a sale taken back, once, by a reversal in the books.

Never here: who eats free. A till is told the same about every child, whoever pays.
"""
