"""The service: one program that serves what the rooms have, and looks after the records.

server, wsgi, urls   processes and threads, the application, every address
gateway              whole requests to threads, and nothing slow
middleware           what goes around every request
health, metrics      is it alive, is it ready, what are its figures
logs                 one line of JSON each, without personal data
schema               are the tables those of this version
backups              all records in one file, while tills go on
restoration          such a file in their place, whole or not at all: of_files and of_servers
worker               the clock's own work, every minute
"""
