"""The till API, `/api/v1`: what tills and apps ask over HTTP. It asks the rooms of the records, and no model.

keys, permissions    who asks, and what concerns a key
bodies, shapes       how a request is read: its size, its JSON, its fields
event_shapes         the fields of events
vouchers, offers     the routes
lists, pages         vouchers and redemptions, a page at a time
halts, events
dispatch             a command on its way to the ledger, and its answer on the way back
throttle             whoever guesses codes has to wait
replies, problems    what is said back: yes, or why not, with the status of each
openapi, api         the description, and all of it put together
glossary, reference  what each field means with examples, and the description as a page
metrics              what is counted
"""
