"""Parts of the book's fold, one idea a file. ``engine/book.py`` is the door; nothing else calls these."""
