"""Plays samples on the machine's loudspeaker, in a thread of its own, one sound at a time.

miniaudio brings its own drivers and needs no library of the system. It is imported with the first sound.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from gui.sounds.tones import RATE, Samples

log = logging.getLogger(__name__)

_BUFFER_MS: Final = 60
_LONGEST_S: Final = 5.0
"""A device that takes nothing is left after that."""

type Open = Callable[[], Any]


def _open_device() -> Any:
    import miniaudio

    return miniaudio.PlaybackDevice(
        output_format=miniaudio.SampleFormat.SIGNED16, nchannels=1, sample_rate=RATE, buffersize_msec=_BUFFER_MS
    )


class Speaker:
    def __init__(self, open_device: Open = _open_device) -> None:
        """``open_device`` gives what plays a generator of samples; it runs in the thread."""
        self._open = open_device
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="speaker")
        self._playing: Future[None] | None = None
        self.failure: str | None = None
        """Why the newest sound was not heard."""

    @property
    def is_busy(self) -> bool:
        return self._playing is not None and not self._playing.done()

    def play(self, samples: Samples) -> bool:
        """Begin to play, unless something is playing; tells whether it begins."""
        if self.is_busy:
            return False
        self._playing = self._pool.submit(self._play, samples)
        return True

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _play(self, samples: Samples) -> None:
        over = threading.Event()
        try:
            device = self._open()
            try:
                stream = _stream(samples, over)
                next(stream)
                device.start(stream)
                if not over.wait(len(samples) / RATE + _LONGEST_S):
                    raise TimeoutError("the device takes no samples")
            finally:
                device.close()
        except Exception as error:  # drivers raise what they like; a desk without sound is still a desk
            if self.failure is None:
                log.warning("no sound: %s", error)
            self.failure = _told(error)
        else:
            self.failure = None


def _told(error: Exception) -> str:
    """Drivers' errors are a sentence with a number, which is of no use to anybody who listens."""
    return next((each for each in error.args if isinstance(each, str) and each), type(error).__name__)


def _stream(samples: Samples, over: threading.Event) -> Generator[bytes, int, None]:
    """What a device asks for, piece by piece; silence at the end, so that its buffer is played out."""
    at = 0
    wanted = yield b""
    while at < len(samples):
        piece = samples[at : at + wanted]
        at += wanted
        wanted = yield piece.tobytes() + bytes(2 * (wanted - len(piece)))
    for _ in range(3):
        wanted = yield bytes(2 * wanted)
    over.set()
    while True:
        wanted = yield bytes(2 * wanted)
