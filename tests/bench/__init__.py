"""Measurements, never tests: nothing here asserts a time. ``python -m tests.bench.NAME`` runs one and prints a table.

``execution``  approval to acknowledged and to protected, beside the pipeline that most users have today
``own_cost``   what the desk itself adds before the first byte, and how late its loop runs under load
``recovery``   folding a long journal, and whether the cost of an event grows with it
``gui``        the blotter under load, the latency chart, cold start and memory
"""
