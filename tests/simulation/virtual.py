"""A simulated machine room: one loop in virtual time, a network whose processes can be killed, disks that take time.

Built on simloop, which draws the order of everything that is ready from the seed. Three things are added to it:

* ``Disk``: what a desk hands to its one journal thread takes virtual milliseconds, may be slow and may refuse. Work
  becomes real in the middle of its time, so that a kill may come before or after it, and before its answer.
* ``Wires``: a killed process falls silent without running a ``finally`` as far as anybody else can see; what it
  had sent already still arrives, and its connections are reset by its kernel, at once or (power cut) much later.
* no trace: a seed replays by running it again, and recording each step costs more than running it. The loop's own
  steps are written anew without it: which of the ready callbacks runs next is still the seed's draw, one draw a step.
"""

from __future__ import annotations

import asyncio
import errno
import heapq
import itertools
import random
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, Final, override

from simloop import SimLoop, SimulationDeadlockError
from simloop._net import DRIVER, SimNetwork, _current_host
from simloop._transports import _SimStreamTransport

FULL: Final = "No space left on device"
DISK_S: Final = (0.0002, 0.004)
"""One job on a healthy disk: an fsync of a good or of a bad day."""


def machine_of(task: asyncio.Task[Any]) -> str:
    """Where it runs."""
    name = task.get_context().get(_current_host, DRIVER)
    assert isinstance(name, str)
    return name


class Disk(Executor):
    """The journal's one worker thread and the disk under it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._free_at_s = 0.0
        self.job_s = DISK_S
        self.refuses = False
        self.is_gone = False
        """Its process was killed: nothing is written any more."""

    def run(self, loop: SimLoop, job: Callable[..., Any], args: tuple[Any, ...]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = loop.create_future()
        takes_s = self._rng.uniform(*self.job_s)
        begins_s = max(loop.time(), self._free_at_s)
        self._free_at_s = begins_s + takes_s

        def act() -> None:
            try:
                result, error = self._do(job, args), None
            except BaseException as raised:
                result, error = None, raised
            loop.call_later(takes_s / 2, answer, result, error)

        def answer(result: object, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        loop.call_later(begins_s + takes_s / 2 - loop.time(), act)
        return future

    def _do(self, job: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        writes = job.__name__ in ("commit", "checkpoint")
        if writes and (self.is_gone or self.refuses):
            raise OSError(errno.ENOSPC, FULL)
        return job(*args)


class Wires(SimNetwork):
    """The network, and what becomes of a process that is killed."""

    def __init__(self, loop: SimLoop) -> None:
        super().__init__(loop)
        self._silent: set[str] = set()
        self._kernel_speaks = False

    def kill(self, name: str, *, reset_after_s: float) -> None:
        """The process on this machine is gone from here on; nothing that it still does leaves the machine."""
        self._silent.add(name)
        open_ends = [self._streams[key] for key in self._streams if key[1] == name]
        if reset_after_s > 0:
            self._loop.call_later(reset_after_s, self._reset, open_ends)
        else:
            self._reset(open_ends)
        for task in list(self._tasks[name]):
            task.cancel()

    def is_killed(self, name: str) -> bool:
        return name in self._silent

    def tasks_of(self, name: str) -> list[str]:
        """Names of what runs on this machine."""
        return [task.get_name() for task in self._tasks[name] if not task.done()]

    def _reset(self, open_ends: list[_SimStreamTransport]) -> None:
        self._kernel_speaks = True
        for end in open_ends:
            end._send("rst")
        self._kernel_speaks = False

    @override
    def _send_stream(self, *, kind: str, src: str, **packet: Any) -> None:
        if src in self._silent and not self._kernel_speaks:
            if kind == "syn":
                return
            # The number is used up all the same: a gap would keep the reset behind it for ever.
            kind, packet["payload"] = "nothing", b""
        super()._send_stream(kind=kind, src=src, **packet)


class _NumberedTask(asyncio.Task[Any]):
    """Task groups cancel their children in the order of a set: with numbers for hashes it is the same in each run."""

    def __init__(self, coro: Coroutine[Any, Any, Any], loop: SimLoop, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(coro, loop=loop, **options)

    @override
    def __hash__(self) -> int:
        return self._number


class VirtualLoop(SimLoop):
    """simloop's loop with the disks and wires above, and without a trace."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        numbers = itertools.count()
        self.set_task_factory(lambda loop, coro, **options: _NumberedTask(coro, loop, next(numbers), **options))
        self._dice = random.Random(f"{seed}/order")
        self._net = Wires(self)

    @property
    @override
    def net(self) -> Wires:
        wires = self._net
        assert isinstance(wires, Wires)
        return wires

    @override
    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        if isinstance(executor, Disk):
            return executor.run(self, func, args)
        return super().run_in_executor(executor, func, *args)

    # --- simloop's steps, but for labels, choice log and trace ------------------------------------------------------

    @override
    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._next_seq += 1
        self._ready.append((self._next_seq, "", handle, callback))
        return handle

    @override
    def _call_at_true(
        self,
        when: float,
        shown: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(shown, callback, args, self, context)
        self._next_seq += 1
        heapq.heappush(self._timers, (when, self._next_seq, "", timer, callback))
        return timer

    @override
    def _advance_clock(self) -> None:
        timers, ready = self._timers, self._ready
        while timers and timers[0][3]._cancelled:
            heapq.heappop(timers)
        if not timers:
            raise SimulationDeadlockError("nothing left to run: no ready callbacks and no pending timers")
        self._now = now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= now:
            _, seq, label, timer, callback = heapq.heappop(timers)
            if not timer._cancelled:
                ready.append((seq, label, timer, callback))

    @override
    def _step(self) -> None:
        ready = self._ready
        if not ready:
            self._advance_clock()
        count = len(ready)
        handle = ready.pop(int(self._dice.random() * count) if count > 1 else 0)[2]
        if not handle._cancelled:
            handle._run()
