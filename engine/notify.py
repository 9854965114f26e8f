"""A notification of the operating system, for the moment in which the window itself cannot speak.

By the system's own command where there is one: ``notify-send`` on Linux, ``osascript`` on macOS. Windows has none that
needs no installation; there, and on a server without a desktop, the log has to do.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from typing import Final

log = logging.getLogger(__name__)

PATIENCE_S: Final = 5.0
COMMANDS: Final = (
    ("notify-send", "--urgency=critical", "--app-name=Greenlight", "--"),
    (
        "osascript",
        "-e",
        "on run argv",
        "-e",
        "display notification (item 2 of argv) with title (item 1 of argv)",
        "-e",
        "end run",
    ),
)


def notify_operator(title: str, text: str) -> bool:
    """Whether a notification was raised. Waits for the command: not to be called on the loop."""
    for command in COMMANDS:
        if shutil.which(command[0]) is None:
            continue
        try:
            done = subprocess.run([*command, title, text], capture_output=True, timeout=PATIENCE_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as why:
            log.warning("%s: %s", command[0], why)
            continue
        if done.returncode == 0:
            return True
        log.warning("%s ended with %d", command[0], done.returncode)
    return False
