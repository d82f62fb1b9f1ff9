"""Jobs: work that takes long or comes again. A row in the caller's transaction, done once by its effect, safe to kill anywhere.

actions    put a job in, stop it, try it again, look at it
kinds      what there is to do, and how patiently
running    a job at work: chunk by chunk, each fenced, its effect and its end in one commit
worker     takes jobs one after another, and puts in those whose time has come
schedules  what comes again, and when
models     the tables, private to this room
"""
