"""Offers: what may be given, and what was given. It needs no model and no lake.

What an offer says:
terms            what it gives, to whom, when and where, how often, and who pays
bill             what a till is about to charge
discounts        what one offer takes off a bill
stacking         which offers go together
shares           what each line of the bill bears of what they take off
validity         when an offer holds in a store, and when a voucher ends
caps             what one use counts against
codes            what is printed on vouchers
identity         who a guest is, without knowing them

What may be asked, each a command of the ledger with what it needs and what it decides:
definition       make an offer, or change its terms
issuance         issue one voucher; batches: a million
redemption       validate, reserve, redeem; admission: whether a voucher may be used at all
reservations     let go what was reserved
refunds          give a redemption back
vouchers         cancel and expire
halts            stop and go on, by hand or by the velocity alarm

And around it:
actions          the verbs for other rooms
usages, people   how much of each cap is used, and by whom
lists            vouchers and redemptions, a page at a time
events, orders   what tills and apps told us
reconciliation   every counter, worked out again
models           the tables, private to this room
"""
