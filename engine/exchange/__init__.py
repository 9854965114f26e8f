"""An Alpaca in the box: a broker's account behind a loopback socket, for any Alpaca client.

``server.py`` serves it, ``core.py`` is the exchange without sockets, ``docs/exchange.md`` tells how it is built, what
can be made to go wrong, and which of its behaviour is verified. Imports nothing of the desk but ``engine.clock``.
"""
