"""The ledger: what happens once, and is booked. Whatever is limited is posted here: money and uses of offers, points, stakes.

commands         what may be asked: each says what it may move, what it has to read, and what it decides
books            what the commands of one transaction have in hand, and how it is written
accounts         accounts and entries: what moves between free, reserved and spent
transactions     many commands at once, each answered once for each key
group_commit     those who come at the same time go through together
sandbox          what is asked is done, and undone before anybody could see it
patience         how long it waits for a row that somebody else holds
refusals         a no with its reason
reconciliation   every account, worked out again from its entries
models           the tables, private to this room
"""
