"""Access: who may ask, for what, and where.

tills    the keys of tills and apps: made, known, revoked
scopes   what a key may see and change at its stores
stores   the stores, and their clocks
models   the tables, private to this room
"""
