"""Words become samples by the program for speech that the system has, in a thread of its own.

The words go in through its standard input, so that nothing in them is an option or a command; what comes out is a file
of sound, played like every other sound: on the same loudspeaker, at the same volume, muted with the rest.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from gui.sounds.tones import RATE, Samples

log = logging.getLogger(__name__)

FILE: Final = "FILE"
"""Stands in a command for the file that it writes."""
_SAPI: Final = (
    "Add-Type -AssemblyName System.Speech; $v = New-Object System.Speech.Synthesis.SpeechSynthesizer;"
    " $v.SetOutputToWaveFile('FILE'); $v.Speak([Console]::In.ReadToEnd()); $v.Dispose()"
)
COMMANDS: Final = {
    "linux": (("espeak-ng", "--stdin", "-w", FILE), ("espeak", "--stdin", "-w", FILE)),
    "darwin": (("say", "-f", "-", "--data-format=LEI16@44100", "-o", FILE),),
    "win32": (("powershell", "-NoProfile", "-Command", _SAPI),),
}
_LONGEST_S: Final = 10.0
"""A program that takes longer is ended: what it would say is old by then."""


def command_here() -> Sequence[str]:
    """The first of this system's programs that is installed; empty without one."""
    return next((command for command in COMMANDS.get(sys.platform, ()) if shutil.which(command[0])), ())


class Voice:
    def __init__(self, command: Sequence[str] | None = None) -> None:
        """``command`` speaks its standard input into the file that takes the place of ``FILE``; by default the
        system's."""
        self._command = command_here() if command is None else command
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice")
        self._made: Future[Samples] | None = None
        self.failure: str | None = None
        """Why the newest words were not spoken."""

    @property
    def is_there(self) -> bool:
        return bool(self._command)

    def begin(self, words: str) -> bool:
        """Have these words made into samples, unless others are; tells whether it begins."""
        if not self._command or self._made is not None:
            return False
        self._made = self._pool.submit(self._speak, words)
        return True

    def take(self) -> Samples | None:
        """What is made, once; None as long as it is not, and where it failed."""
        if self._made is None or not self._made.done():
            return None
        made, self._made = self._made, None
        try:
            samples = made.result()
        except Exception as error:  # programs fail in their own ways; a desk without a voice is still a desk
            if self.failure is None:
                log.warning("no voice: %s", error)
            self.failure = str(error) or type(error).__name__
            return None
        self.failure = None
        return samples

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _speak(self, words: str) -> Samples:
        import miniaudio

        with tempfile.TemporaryDirectory(prefix="greenlight-voice-") as folder:
            file = Path(folder) / "words.wav"
            command = [part.replace(FILE, str(file)) for part in self._command]
            done = subprocess.run(command, input=words.encode(), capture_output=True, timeout=_LONGEST_S, check=False)
            if done.returncode != 0 or not file.exists():
                told = done.stderr.decode(errors="replace").strip().splitlines()
                raise RuntimeError(f"{command[0]} failed: {told[-1] if told else f'status {done.returncode}'}")
            sound = miniaudio.decode_file(str(file), miniaudio.SampleFormat.SIGNED16, nchannels=1, sample_rate=RATE)
        return np.array(sound.samples, dtype=np.int16)
