"""Fault drills for people, on the embedded exchange only.

A drill brings one kind of trouble about on purpose, watches what the person at the desk does, takes everything back,
and scores it: time to notice, the right action, naked seconds. It can hurt nobody: a ``DrillRoom`` is made from an
``EmbeddedExchange``, and only a simulated desk has one.
"""
