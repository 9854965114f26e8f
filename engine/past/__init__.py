"""A day that is over, looked at again: the journal folded up to a moment, and the tape of what it does not hold.

Nothing here sends, decides or writes to the journal. A desk that runs beside it does not notice.
"""
