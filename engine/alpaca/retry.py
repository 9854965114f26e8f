"""When a request is sent again: every policy, by what it is for.

    reads()      a lost or refused read; a read is never ambiguous
    cancels()    also an unsettled cancel: asking twice is harmless; and one that waits for a replacement to settle
    submits()    an entry that surely never left; an unsettled one is looked up instead, and one that met the request
                 limit goes back to its queue, where the gate looks again when its turn comes
    exits()      what surely did nothing, whatever the reason: a closing order must get through
    protect()    for the supervisor: as exits, over a longer time
    placements() exits that the broker refused while shares stand uncovered: worth asking again, but not for ever
    waiting()    a refusal that ends by itself (``NotYetError``): short, even steps

Each waits as long as the broker asked (``Retry-After``), else full-jitter exponential backoff with a cap, so that many
desks don't come back in step. Cancels, exits and protection don't heed the broker's time: a limit counts requests, and
the next one may be the first that fits. Attempts are bounded; a time limit is the caller's ``asyncio.timeout``, since
tenacity's own looks at the wall clock. The last error is raised as it is. Every retry is logged with number, wait and
reason.

    answer = await reads(clock)(client.account)
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, retry_if_exception_type, stop_after_attempt

from engine.alpaca.refusals import WaitsFor
from engine.clock import Clock
from engine.errors import AmbiguousError, BrokerError, NotYetError, RetryableError

logger = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 0.25
TOO_MANY_REQUESTS: Final = 429
LONGEST_ASKED_WAIT_S: Final = 60.0
"""A broker that asks for more gets asked again after this."""
HEALTHY_AFTER_S: Final = 60.0
"""A connection that held this long was a good one."""


def reads(clock: Clock, *, rng: random.Random | None = None) -> AsyncRetrying:
    return _retrying(clock, _did_nothing, attempts=4, first_s=FIRST_WAIT_S, cap_s=5.0, rng=rng)


def cancels(clock: Clock, *, rng: random.Random | None = None) -> AsyncRetrying:
    def is_worth_asking(error: BaseException) -> bool:
        if isinstance(error, NotYetError):
            return error.waits_for == WaitsFor.REPLACEMENT
        return isinstance(error, RetryableError | AmbiguousError)

    return _retrying(clock, is_worth_asking, attempts=8, first_s=0.1, cap_s=2.0, rng=rng, heeds_server=False)


def submits(clock: Clock, *, rng: random.Random | None = None) -> AsyncRetrying:
    def never_left(error: BaseException) -> bool:
        return _did_nothing(error) and not is_limit(error)

    return _retrying(clock, never_left, attempts=3, first_s=FIRST_WAIT_S, cap_s=2.0, rng=rng)


def exits(clock: Clock, *, rng: random.Random | None = None) -> AsyncRetrying:
    return _retrying(clock, _did_nothing, attempts=8, first_s=0.1, cap_s=2.0, rng=rng, heeds_server=False)


def protect(clock: Clock, *, rng: random.Random | None = None) -> AsyncRetrying:
    return _retrying(clock, _did_nothing, attempts=10, first_s=0.1, cap_s=5.0, rng=rng, heeds_server=False)


def placements(
    pause: Callable[[float], Awaitable[None]], *, attempts: int, rng: random.Random | None = None
) -> AsyncRetrying:
    """Even a final refusal is tried again, with what is true then.

    ``pause`` sleeps, and may be cut short by a person. What is repeated must plan anew each time and count an order of
    unknown fate as placed: nothing here keeps the same body from going out twice.
    """
    draw = rng or random.Random()

    def jitter(state: RetryCallState) -> float:
        step_s = _step_s(state.attempt_number - 1, 0.5, 4.0)
        return draw.uniform(step_s / 2, step_s)

    return AsyncRetrying(
        retry=retry_if_exception_type(BrokerError),
        stop=stop_after_attempt(max(1, attempts)),
        wait=jitter,
        before_sleep=_log,
        sleep=pause,
        reraise=True,
    )


def waiting(
    clock: Clock, *, attempts: int = 60, pause_s: float = 0.5, rng: random.Random | None = None
) -> AsyncRetrying:
    """About ``attempts * pause_s`` seconds altogether; 30 s by default, what a stuck cancel takes in the field."""
    draw = rng or random.Random()

    def evenly(_: RetryCallState) -> float:
        return pause_s * draw.uniform(0.75, 1.25)

    return _built(clock, lambda error: isinstance(error, NotYetError), attempts, evenly)


def is_limit(error: BaseException) -> bool:
    """The broker did not process the request because too many came before it."""
    return isinstance(error, RetryableError) and error.status_code == TOO_MANY_REQUESTS


class Backoff:
    """How long a broken stream waits before it connects again: jitter, a cap, and no memory after a healthy minute."""

    def __init__(self, *, first_s: float = 0.5, cap_s: float = 30.0, rng: random.Random | None = None) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._rng = rng or random.Random()
        self._failures = 0

    def failed(self, *, was_up_s: float = 0.0) -> float:
        """Note a connection that ended after ``was_up_s`` seconds (0: it never stood); the seconds to wait now.

        At least half of the step, so that the shortest wait is never close to none.
        """
        if was_up_s >= HEALTHY_AFTER_S:
            self._failures = 0
        step_s = _step_s(self._failures, self._first_s, self._cap_s)
        self._failures += 1
        return self._rng.uniform(step_s / 2, step_s)


def _retrying(
    clock: Clock,
    again: Callable[[BaseException], bool],
    *,
    attempts: int,
    first_s: float,
    cap_s: float,
    rng: random.Random | None,
    heeds_server: bool = True,
) -> AsyncRetrying:
    draw = rng or random.Random()

    def retry_after_or_jitter(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.retry_after_s if isinstance(error, BrokerError) else None
        if asked_s is not None and heeds_server:
            return min(asked_s, LONGEST_ASKED_WAIT_S)
        return draw.uniform(0.0, _step_s(state.attempt_number - 1, first_s, cap_s))

    return _built(clock, again, attempts, retry_after_or_jitter)


def _did_nothing(error: BaseException) -> bool:
    return isinstance(error, RetryableError)


def _built(
    clock: Clock,
    again: Callable[[BaseException], bool],
    attempts: int,
    wait: Callable[[RetryCallState], float],
) -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception(again),
        stop=stop_after_attempt(attempts),
        wait=wait,
        before_sleep=_log,
        sleep=clock.sleep,
        reraise=True,
    )


def _step_s(failures: int, first_s: float, cap_s: float) -> float:
    return min(cap_s, first_s * 2.0 ** min(failures, 32))


def _log(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait_s = state.next_action.sleep if state.next_action else 0.0
    logger.info("attempt %d failed, next in %.2f s: %s", state.attempt_number, wait_s, error)
