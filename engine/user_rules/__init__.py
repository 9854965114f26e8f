"""Rules of the operator's own: one Python file, asked about each entry in a process of its own.

``child.py`` runs the file and knows nothing of the desk. ``process.py`` starts, asks, stops and starts it again.
``inputs.py`` says what the file is shown, ``answers.py`` reads what it says, and ``board.py`` keeps the answers, asks
for new ones, and makes a claim wait for one. The gate (``rules/user.py``) judges by what stands on the board.
"""
