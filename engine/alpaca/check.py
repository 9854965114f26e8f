"""Alpaca's own SDK as a second opinion on an order body, before a person sees it.

alpaca-py's request models know which fields belong together. They know nothing of the market or the account, read
prices as floats (so only their verdict is used, never their numbers), and ignore fields they don't know (which is
reported here: a misspelt stop would be a missing one). Importing them takes a tenth of a second, so a desk does it in
a worker thread; one with a window before there is Qt (``main.import_before_qt``).
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec, module_from_spec
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from engine.alpaca.bodies import Body
from engine.alpaca.reading import Malformed, number_from

if TYPE_CHECKING:
    from pydantic import BaseModel

ANSWERS_KEPT: Final = 1024
_PACKAGES: Final = ("alpaca", "alpaca.common", "alpaca.trading")
_LEGS: Final = ("take_profit", "stop_loss")
_NUMBERS: Final = ("qty", "limit_price", "stop_price", "trail")


class _LaterPandas(ModuleType):
    """Stands where alpaca-py wants pandas, and becomes it when it is asked for anything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module("pandas"), name)


@contextmanager
def _pandas_put_off() -> Iterator[None]:
    """Imports within the block get a promise of pandas instead of pandas itself.

    WORKAROUND https://github.com/alpacahq/alpaca-py: 0.44's request models import pandas for the dates of one request
    that this desk does not make: 43 MB and a second of a core. Remove when they don't.
    """
    if "pandas" in sys.modules:
        yield
        return
    promise = sys.modules["pandas"] = _LaterPandas("pandas")
    try:
        yield
    finally:
        if sys.modules.get("pandas") is promise:
            del sys.modules["pandas"]


@contextmanager
def _client_left_out() -> Iterator[None]:
    """Imports within the block find alpaca-py's modules, but not what its packages import by themselves.

    WORKAROUND https://github.com/alpacahq/alpaca-py: 0.44's packages import the whole client, with requests, urllib3
    and websockets.legacy, before any of their modules: four fifths of the time and a third of the memory. Remove when
    the request models can be imported alone. Who imports alpaca-py beside it has it whole.
    """

    def taken() -> dict[str, ModuleType]:
        names = [name for name in sys.modules if name.partition(".")[0] == _PACKAGES[0]]
        return {name: sys.modules.pop(name) for name in names}

    whole = taken()
    for name in _PACKAGES:
        spec = find_spec(name)
        assert spec is not None
        sys.modules[name] = module_from_spec(spec)
    try:
        yield
    finally:
        taken()
        sys.modules.update(whole)


def import_request_models() -> ModuleType:
    """alpaca-py's module of request models, imported once a process."""
    with _importing:
        return _request_models()


_importing = Lock()
"""For desks that start in one process at the same time: what is imported is put aside for a moment."""


@cache
def _request_models() -> ModuleType:
    with _pandas_put_off(), _client_left_out():
        return importlib.import_module("alpaca.trading.requests")


class RequestModels:
    """alpaca-py's models by order type. Use ``load``."""

    def __init__(self, orders: Mapping[str, type[BaseModel]], legs: Mapping[str, type[BaseModel]], replacement: Any):
        self._orders = orders
        self._legs = legs
        self._replacement: type[BaseModel] = replacement
        self._said: dict[bytes, str | None] = {}

    @classmethod
    async def load(cls, executor: Executor) -> Self:
        """Import alpaca-py in ``executor``."""
        return await asyncio.get_running_loop().run_in_executor(executor, cls._imported)

    @classmethod
    def _imported(cls) -> Self:
        requests = import_request_models()
        return cls(
            orders={
                "market": requests.MarketOrderRequest,
                "limit": requests.LimitOrderRequest,
                "stop": requests.StopOrderRequest,
                "stop_limit": requests.StopLimitOrderRequest,
                "trailing_stop": requests.TrailingStopOrderRequest,
            },
            legs={"take_profit": requests.TakeProfitRequest, "stop_loss": requests.StopLossRequest},
            replacement=requests.ReplaceOrderRequest,
        )

    def check(self, body: Body) -> str | None:
        """None when alpaca-py would send this order, else what it says against it, in one sentence.

        A preview asks for the same body again and again, and gets the same answer.
        """
        key = msgspec.json.encode(body)
        if key not in self._said:
            if len(self._said) >= ANSWERS_KEPT:
                self._said.clear()
            self._said[key] = self._read(body)
        return self._said[key]

    def _read(self, body: Body) -> str | None:
        kind = body.get("type")
        if not isinstance(kind, str) or kind not in self._orders:
            return f"Alpaca has no order type {kind!r}."
        for name in _LEGS:
            leg = body.get(name)
            if isinstance(leg, dict) and (unknown := leg.keys() - self._legs[name].model_fields.keys()):
                return f"Alpaca's {name} has no field {min(unknown)!r}."
        return _objection(self._orders[kind], body)

    def check_replacement(self, body: Body) -> str | None:
        """The same for a replacement, whose model compares numbers before it reads them."""
        try:
            numbers = {name: number_from(body[name]) for name in _NUMBERS if name in body}
        except Malformed as error:
            return f"The replacement has a price or quantity that is {error}."
        return _objection(self._replacement, body | numbers)


def _objection(model: type[BaseModel], body: Body) -> str | None:
    if unknown := body.keys() - model.model_fields.keys():
        return f"Alpaca's {model.__name__.removesuffix('Request')} has no field {min(unknown)!r}."
    if not body.get("client_order_id"):
        return "The order has no client_order_id, and could not be looked up."
    try:
        model(**body)
    except ValueError as error:  # pydantic's ValidationError is one
        return f"alpaca-py would refuse it: {_first_reason(error)}."
    return None


def _first_reason(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return str(error).rstrip(".")
    first = errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{where}: {said}" if where else said
