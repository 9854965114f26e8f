"""The book on disk: SQLite, one row a fact, committed before each answer.

It survives the death of the process at any moment (the write-ahead log is in the kernel's hands as soon as a commit
returns), not a power cut: there is no fsync, which keeps a commit at some tens of microseconds on the event loop.
Only rows that changed are written; nothing grows with the history but the tables themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.exchange.accounts import AccountState, Position
from engine.exchange.floor import Changes, Execution
from engine.exchange.market import MarketState
from engine.exchange.orders import Order

SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders
    (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, client_id TEXT NOT NULL, live INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS orders_by_id ON orders (id);
CREATE INDEX IF NOT EXISTS orders_by_client_id ON orders (client_id);
CREATE TABLE IF NOT EXISTS executions (seq INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS positions (symbol TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS singles (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS equity (minute INTEGER PRIMARY KEY, value REAL NOT NULL);
"""

_PUT_ORDER = "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)"

T = TypeVar("T", bound=msgspec.Struct)


class StoreError(Exception):
    """A database that is not this exchange's, or a newer one's."""


class Store:
    """One connection, used on the event loop only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._encode = msgspec.json.Encoder().encode
        self._order = msgspec.json.Decoder(Order).decode
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            self._db.close()
            raise StoreError(f"{path} has schema {version}; this exchange knows {SCHEMA_VERSION}")
        if version == 1:
            self._index_the_orders_of_schema_1()
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def _index_the_orders_of_schema_1(self) -> None:
        """Schema 1 kept nothing of an order but its data: it could be found only by reading all of them."""
        db = self._db
        db.execute("BEGIN")
        rows = db.execute("SELECT data FROM orders ORDER BY seq").fetchall()
        db.execute("DROP TABLE orders")
        for statement in _SCHEMA.split(";")[:3]:
            db.execute(statement)
        db.executemany(_PUT_ORDER, [self._row(self._order(data)) for (data,) in rows])
        db.execute("PRAGMA user_version=2")
        db.execute("COMMIT")

    def _row(self, order: Order) -> tuple[int, str, str, bool, bytes]:
        return order.seq, order.id, order.client_order_id, order.is_live, self._encode(order)

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
            db.execute(_PUT_ORDER, self._row(order))
            changed.clear()
            return
        db.execute("BEGIN")
        if changed.orders:
            db.executemany(_PUT_ORDER, [self._row(order) for order in changed.orders.values()])
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

    def load_orders(self, most: int) -> tuple[list[Order], int]:
        """By submission: the newest ``most``, and of the older ones whatever a live group needs. Also the ``seq`` up to
        which some were left out."""
        newest = self._db.execute("SELECT seq FROM orders ORDER BY seq DESC LIMIT 1 OFFSET ?", (most,)).fetchone()
        left_out_to = newest[0] if newest is not None else 0
        found = {order.seq: order for order in self._orders("WHERE seq > ? OR live ORDER BY seq", left_out_to)}
        for order in tuple(found.values()):
            for other in [self.order(key) for key in (order.parent_id, *order.leg_ids) if key is not None]:
                if other is not None:
                    found.setdefault(other.seq, other)
        return [found[seq] for seq in sorted(found)], left_out_to

    def order(self, order_id: str) -> Order | None:
        return next(self._orders("WHERE id = ?", order_id), None)

    def order_of_client_id(self, client_order_id: str) -> Order | None:
        return next(self._orders("WHERE client_id = ?", client_order_id), None)

    def orders_up_to(self, seq: int, *, newest_first: bool) -> Iterator[Order]:
        return self._orders(f"WHERE seq <= ? ORDER BY seq {'DESC' if newest_first else 'ASC'}", seq)

    def _orders(self, where: str, value: object) -> Iterator[Order]:
        for (data,) in self._db.execute(f"SELECT data FROM orders {where}", (value,)):
            yield self._order(data)

    def load_executions(self, most: int) -> tuple[list[Execution], int]:
        """The newest ``most``, oldest first, and how many older ones there are."""
        count = self._db.execute("SELECT COUNT(*) FROM executions").fetchone()[0]
        older = max(count - most, 0)
        return list(self._executions("WHERE seq > ? ORDER BY seq", older)), older

    def executions_up_to(self, number: int, *, newest_first: bool) -> Iterator[Execution]:
        """The first ``number`` executions of the account."""
        return self._executions(f"WHERE seq <= ? ORDER BY seq {'DESC' if newest_first else 'ASC'}", number)

    def _executions(self, where: str, value: int) -> Iterator[Execution]:
        decode = msgspec.json.Decoder(Execution).decode
        for (data,) in self._db.execute(f"SELECT data FROM executions {where}", (value,)):
            yield decode(data)

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
