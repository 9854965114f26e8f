"""Which conditions need the operator's hand now: raised when they begin, cleared when they end.

scene      what a condition may look at, and the words that all incidents share
brackets   naked and over-covered trades
orders     unknown fates, stuck cancels, words the broker invented
links      the ways to the broker
signals    proposals about to expire
trips      what changed the desk's state by itself
desk       journal and start gate
watch      compares what is true with what is open, and records the difference

A new condition is a function ``(Scene) -> Iterator[Incident]`` in the file of its area, named in ``watch.CONDITIONS``.
"""
