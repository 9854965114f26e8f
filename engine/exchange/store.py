"""The book on disk: SQLite, one row a fact, committed before each answer.

It survives the death of the process at any moment (the write-ahead log is in the kernel's hands as soon as a commit
returns), not a power cut: there is no fsync, which keeps a commit at some tens of microseconds on the event loop.
Only rows that changed are written; nothing grows with the history but the tables themselves.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.exchange.accounts import AccountState, Position
from engine.exchange.floor import Changes, Execution
from engine.exchange.market import MarketState
from engine.exchange.orders import Order

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS executions (seq INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS positions (symbol TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS singles (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS equity (minute INTEGER PRIMARY KEY, value REAL NOT NULL);
"""

T = TypeVar("T", bound=msgspec.Struct)


class StoreError(Exception):
    """A database that is not this exchange's, or a newer one's."""


class Store:
    """One connection, used on the event loop only."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            self._db.close()
            raise StoreError(f"{path} has schema {version}; this exchange knows {SCHEMA_VERSION}")
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self._encode = msgspec.json.Encoder().encode

    def close(self) -> None:
        self._db.close()

    def commit(self, changed: Changes, positions: dict[str, Position], account: AccountState) -> None:
        """Writes what changed in one transaction and forgets the changes."""
        if not changed:
            return
        db, encode = self._db, self._encode
        if len(changed.orders) == 1 and not (changed.executions or changed.positions or changed.account):
            # The commonest change by far is one order's status: a single statement is its own transaction.
            (order,) = changed.orders.values()
            db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?)", (order.seq, encode(order)))
            changed.clear()
            return
        db.execute("BEGIN")
        if changed.orders:
            db.executemany(
                "INSERT OR REPLACE INTO orders VALUES (?, ?)",
                [(order.seq, encode(order)) for order in changed.orders.values()],
            )
        if changed.executions:
            db.executemany(
                "INSERT INTO executions (data) VALUES (?)", [(encode(execution),) for execution in changed.executions]
            )
        for symbol in changed.positions:
            position = positions.get(symbol)
            if position is None:
                db.execute("DELETE FROM positions WHERE symbol = ?", (symbol,))
            else:
                db.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (symbol, encode(position)))
        if changed.account:
            db.execute("INSERT OR REPLACE INTO singles VALUES ('account', ?)", (encode(account),))
        db.execute("COMMIT")
        changed.clear()

    def save_market(self, state: MarketState) -> None:
        self._db.execute("INSERT OR REPLACE INTO singles VALUES ('market', ?)", (self._encode(state),))

    def add_equity(self, minute: int, value: float) -> None:
        """One point of the account's history; ``minute`` in Unix seconds."""
        self._db.execute("INSERT OR REPLACE INTO equity VALUES (?, ?)", (minute, value))

    def load_orders(self) -> list[Order]:
        decoder = msgspec.json.Decoder(Order)
        return [decoder.decode(row[0]) for row in self._db.execute("SELECT data FROM orders ORDER BY seq")]

    def load_executions(self) -> list[Execution]:
        decoder = msgspec.json.Decoder(Execution)
        return [decoder.decode(row[0]) for row in self._db.execute("SELECT data FROM executions ORDER BY seq")]

    def load_positions(self) -> dict[str, Position]:
        rows = self._db.execute("SELECT symbol, data FROM positions")
        return {symbol: msgspec.json.decode(data, type=Position) for symbol, data in rows}

    def load_account(self) -> AccountState | None:
        return self._single("account", AccountState)

    def load_market(self) -> MarketState | None:
        return self._single("market", MarketState)

    def load_equity(self, first: int, last: int) -> list[tuple[int, float]]:
        """Points between two Unix times, oldest first."""
        query = "SELECT minute, value FROM equity WHERE minute BETWEEN ? AND ? ORDER BY minute"
        return list(self._db.execute(query, (first, last)))

    def _single(self, name: str, kind: type[T]) -> T | None:
        row = self._db.execute("SELECT data FROM singles WHERE name = ?", (name,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=kind)
