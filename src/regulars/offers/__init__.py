"""Offers: what may be given, what was given, and the ledger of both. It needs no model and no lake.

What an offer says:
terms        what it gives, to whom, when and where, how often, and who pays
bill         what a till is about to charge
discounts    what one offer takes off a bill
stacking     which offers go together
hours        when an offer holds in a store
codes        what is printed on vouchers
identity     who a guest is, without knowing him
refusals     every reason for a no, in two languages

What becomes of it, the way a command goes:
commands     what may be asked
group        those who come at once go through together
performing   one transaction, one answer for each key
reading      the books, read under the offers' locks
deciding     the verdict: admitting, taking, returning, and the caps; no database in it
writing      what changed, in one statement for each table

And around it:
actions      the verbs for other rooms
issuing      a million vouchers
tills        who may ask
reconciling  every counter, worked out again
models, sql  the tables, private to this room
"""
