"""Rules of your own: copy this file into the data folder, change it, and start the desk again.

The desk calls ``check`` for each entry: whenever a preview is shown, again at the click, and once more before anything
is sent. Exits, cancels and flatten are never asked about. What it gets cannot be changed; all amounts and prices are
decimal text ("187.20"), times are RFC 3339 in UTC, and None is what is not known.

It answers None (nothing to say), or a list of verdicts:

    {"verdict": "deny", "code": "EARNINGS", "text": "Earnings are tomorrow.", "measured": "1 day", "limit": "2 days"}

A verdict is pass, warn or deny; measured and limit may be left out. The gate shows USER_ before the code. If this file
raises, is slow or answers something else, the entry is denied as USER_RULE_FAILED. Answer fast: no network and no files
in ``check``; read what you need when the file is loaded.
"""

from decimal import Decimal

NO_ENTRIES = {"GME": "It moves on rumours.", "COIN": "It is closed out by hand on Fridays."}
MOST_OF_THE_DAY = Decimal("0.5")
STRATEGY_POSITIONS = 3


def check(signal, picture):
    verdicts = []

    why = NO_ENTRIES.get(signal["symbol"])
    if why is not None:
        verdicts.append({"verdict": "deny", "code": "NOT_THIS_ONE", "text": why, "measured": signal["symbol"]})

    # A stop nearer than half of an average day's range is hit by noise.
    average, price, stop = picture["average_true_range"], signal["price"], signal["stop_price"]
    if average is None or price is None or stop is None:
        verdicts.append({"verdict": "warn", "code": "NOISE", "text": "Nobody knows how far it moves on a day."})
    else:
        parts = abs(Decimal(price) - Decimal(stop)) / Decimal(average)
        verdicts.append(
            {
                "verdict": "pass" if parts >= MOST_OF_THE_DAY else "warn",
                "code": "NOISE",
                "text": f"The stop is {parts:.2f} of an average day's range away.",
                "measured": f"{parts:.2f}",
                "limit": str(MOST_OF_THE_DAY),
            }
        )

    held = [one for one in picture["positions"] if one["strategy"] == signal["strategy"]]
    if len(held) >= STRATEGY_POSITIONS:
        text = f"{signal['strategy']} has {len(held)} trades on."
        verdicts.append(
            {"verdict": "deny", "code": "BUSY", "text": text, "measured": len(held), "limit": STRATEGY_POSITIONS - 1}
        )
    return verdicts
