"""One mapper a file, each from a sender's shape to a ``SignalDraft``; ``detect`` chooses."""
