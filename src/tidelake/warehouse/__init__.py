"""PostgreSQL: the embedded server or the user's own, its migrations, and small tables of operation.

server      one embedded PostgreSQL per home: start, attach, stop, health
connect     which database to use, and every psycopg error made ours
migrate     the SQL files of `migrations/`, applied in order and recorded
lease       who may work now
watermarks  how far each consumer of a lake table has read
commits     one row per lake commit, for operation, never the authority
"""
