"""The desk's memory: an append-only, hash-chained table of facts in SQLite, with one writer.

schema     the file, its version and its migrations
codec      facts to rows and back; the hash chain
writer     ``Journal``: numbers facts at once, commits them in groups
store      the worker thread's side of the writer
torn       what is done about an end that did not survive
reader     read-only access beside a running desk, and ``verify``
follow     backlog and live facts as one stream
export     the journal as CSV files
"""
