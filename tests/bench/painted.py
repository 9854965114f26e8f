"""``main.py`` with one thing added: it says when its window has been painted for the first time.

python -m tests.bench.painted MONOTONIC_S_OF_LAUNCH [arguments of main.py]
"""

from __future__ import annotations

import sys

from main import import_before_qt, main

if __name__ == "__main__":
    import_before_qt()  # as main.py does it: what is added here imports Qt
    from gui import app
    from tests.bench.first_paint import announcing

    app.make_application = announcing(app.make_application, float(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
