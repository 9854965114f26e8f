"""When what is sent again, and after how long."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

import pytest
from tenacity import AsyncRetrying

from engine.alpaca import retry
from engine.alpaca.refusals import WaitsFor
from engine.clock import Clock
from engine.errors import AmbiguousError, BrokerError, NotYetError, RetryableError, TerminalError
from tests.unit.alpaca.virtual_time import run_virtually, virtual_clock

POLICIES: dict[str, Callable[[Clock], AsyncRetrying]] = {
    "reads": retry.reads,
    "cancels": retry.cancels,
    "submits": retry.submits,
    "exits": retry.exits,
    "protect": retry.protect,
    "waiting": retry.waiting,
}
ERRORS: dict[str, BrokerError] = {
    "retryable": RetryableError("lost."),
    "ambiguous": AmbiguousError("unknown."),
    "not yet": NotYetError("reserved.", waits_for="shares"),
    "terminal": TerminalError("no."),
}
REPEATED = {
    ("reads", "retryable"),
    ("cancels", "retryable"),
    ("cancels", "ambiguous"),
    ("submits", "retryable"),
    ("exits", "retryable"),
    ("protect", "retryable"),
    ("waiting", "not yet"),
}


async def outcome_of(policy: AsyncRetrying, error: BrokerError, failures: int = 10_000) -> int:
    """Attempts until success; raises what the policy raises."""
    attempts = 0

    async def request() -> int:
        nonlocal attempts
        attempts += 1
        if attempts <= failures:
            raise error
        return attempts

    return await policy(request)


async def waited_by(policy: Callable[[Clock], AsyncRetrying], error: BrokerError) -> float:
    """Seconds between the first attempt and the second."""
    clock = virtual_clock()
    started_at_s = clock.monotonic_s()
    await outcome_of(policy(clock), error, failures=1)
    return clock.monotonic_s() - started_at_s


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("error", ERRORS)
def test_each_policy_repeats_its_own_errors_and_no_others(policy: str, error: str) -> None:
    async def main() -> None:
        made = POLICIES[policy](virtual_clock())
        if (policy, error) in REPEATED:
            assert await outcome_of(made, ERRORS[error], failures=1) == 2
        else:
            with pytest.raises(type(ERRORS[error])) as caught:
                await outcome_of(made, ERRORS[error], failures=1)
            assert caught.value is ERRORS[error]

    run_virtually(main())


@pytest.mark.parametrize("policy", POLICIES)
def test_attempts_are_bounded_and_the_last_error_is_raised_as_it_is(policy: str) -> None:
    async def main() -> None:
        clock = virtual_clock()
        error = ERRORS["not yet" if policy == "waiting" else "retryable"]
        with pytest.raises(BrokerError) as caught:
            await outcome_of(POLICIES[policy](clock), error)
        assert caught.value is error
        assert clock.monotonic_s() <= 45

    run_virtually(main())


def test_the_broker_s_own_time_is_heeded_but_not_by_exits() -> None:
    async def main() -> None:
        error = RetryableError("limit.", retry_after_s=30.0)
        for policy in (retry.reads, retry.submits):
            assert await waited_by(policy, error) == pytest.approx(30)
        for policy in (retry.exits, retry.protect, retry.cancels):
            assert await waited_by(policy, error) <= 0.1

    run_virtually(main())


def test_an_entry_that_met_the_request_limit_goes_back_to_its_queue() -> None:
    async def main() -> None:
        error = RetryableError("limit.", status_code=429)
        with pytest.raises(RetryableError):
            await outcome_of(retry.submits(virtual_clock()), error, failures=1)
        for policy in (retry.exits, retry.protect, retry.cancels, retry.reads):
            assert await outcome_of(policy(virtual_clock()), error, failures=1) == 2

    run_virtually(main())


def test_a_cancel_waits_for_a_replacement_to_settle_and_for_nothing_else() -> None:
    async def main() -> None:
        settling = NotYetError("settling.", waits_for=WaitsFor.REPLACEMENT)
        assert await outcome_of(retry.cancels(virtual_clock()), settling, failures=3) == 4
        with pytest.raises(NotYetError):
            await outcome_of(retry.cancels(virtual_clock()), NotYetError("on.", waits_for=WaitsFor.CANCEL), failures=1)

    run_virtually(main())


def test_waits_grow_with_full_jitter_up_to_the_cap() -> None:
    async def main() -> None:
        clock = virtual_clock()
        waits: list[float] = []
        for seed in range(200):
            started_at_s = clock.monotonic_s()
            await outcome_of(retry.reads(clock, rng=random.Random(seed)), RetryableError("lost."), failures=1)
            waits.append(clock.monotonic_s() - started_at_s)
        assert max(waits) <= retry.FIRST_WAIT_S
        assert min(waits) < 0.02 < 0.2 < max(waits)

    run_virtually(main())


def test_every_retry_is_logged_with_number_wait_and_reason(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        await outcome_of(retry.reads(virtual_clock()), RetryableError("The broker did not answer."), failures=2)

    with caplog.at_level(logging.INFO, "engine.alpaca.retry"):
        run_virtually(main())
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert "attempt 2 failed" in caplog.messages[1]
    assert "The broker did not answer." in caplog.messages[1]


def test_placements_try_a_final_refusal_again_and_can_be_hurried() -> None:
    async def main() -> None:
        paused: list[float] = []

        async def pause(seconds: float) -> None:
            paused.append(seconds)

        policy = retry.placements(pause, attempts=3, rng=random.Random(1))
        with pytest.raises(TerminalError):
            await outcome_of(policy, TerminalError("no."))
        assert len(paused) == 2
        assert 0.25 <= paused[0] <= 0.5 <= paused[1] <= 1.0

    run_virtually(main())


def test_backoff_grows_and_forgets_only_after_a_healthy_minute() -> None:
    backoff = retry.Backoff(rng=random.Random(7))
    waits = [backoff.failed() for _ in range(10)]
    assert 0.25 <= waits[0] <= 0.5
    assert 15 <= waits[-1] <= 30
    assert backoff.failed(was_up_s=59) >= 15
    assert backoff.failed(was_up_s=60) <= 0.5
