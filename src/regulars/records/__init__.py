"""Records: rows in and out, for every room that keeps some. It has no tables of its own.

fields       short texts, references and indexes, as all tables have them
statements   many rows in one statement, in and out
snapshots    many questions to one state of the database, while others write
shelves      where the rows of a table stand while commands are decided
turns        who writes next, where the database has one lock for all
rooms        which rooms keep records; all of them are backed up, migrated and reconciled
"""
