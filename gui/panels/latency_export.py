"""What is measured, handed on: all samples as CSV, the page as it is as PNG.

The file is made by a thread and takes its name only when it is whole: a slow or full disk holds nothing up, and what
was there before stays where the new one cannot be written.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, QObject, Qt
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QFileDialog, QMenu

from gui.actions import Actions
from gui.door import Sample
from gui.widgets.button import Button

if TYPE_CHECKING:
    from gui.widgets.panel import Panel

_FILES: Final = {"csv": "Samples (*.csv)", "png": "Picture (*.png)"}


class Export(QObject):
    def __init__(self, panel: Panel, actions: Actions, samples: Callable[[], Sequence[Sample]]) -> None:
        super().__init__(panel)
        self._panel = panel
        self._actions = actions
        self._samples = samples
        self._menu = QMenu(panel)
        self._menu.addAction("Samples as CSV", lambda: self._ask("csv"))
        self._menu.addAction("Page as PNG", lambda: self._ask("png"))
        self.button = Button("Export", name="latency-export", kind="quiet")
        self.button.setMenu(self._menu)
        self.failure = ""
        """Why the newest file could not be written."""

    def _ask(self, kind: str) -> None:
        """Not modal to the loop: the desk goes on beneath it."""
        dialog = QFileDialog(self._panel.body, "Export latencies")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(_FILES[kind])
        dialog.setDefaultSuffix(kind)
        dialog.selectFile(f"latency.{kind}")
        dialog.fileSelected.connect(self.to_csv if kind == "csv" else self.to_png)
        dialog.open()

    def to_csv(self, path: str) -> None:
        """One row a sample, oldest first."""
        samples = self._samples()
        self._write(Path(path), lambda part: _write_csv(part, samples))

    def to_png(self, path: str) -> None:
        """The body of the panel as it is on the screen."""
        picture = self._panel.body.grab().toImage()
        self._write(Path(path), lambda part: _write_png(part, picture))

    def _write(self, path: Path, write: Callable[[Path], None]) -> None:
        if self._actions.write_file(path, write, self._tell):
            self.button.setEnabled(False)
            self.button.setText("Writing")

    def _tell(self, failure: OSError | None) -> None:
        self.failure = f"Not written: {failure.strerror or failure}" if failure is not None else ""
        self.button.setEnabled(True)
        self.button.setText("Not written" if failure is not None else "Export")
        self.button.setToolTip(self.failure)


def _write_csv(path: Path, samples: Sequence[Sample]) -> None:
    """Raises:
    OSError: it cannot be written.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["index", "at", "symbol", "stage", "ms"])
        for sample in samples:
            at = sample.at.astimezone(UTC).isoformat(timespec="milliseconds")
            writer.writerow([sample.index, at, sample.symbol, str(sample.stage), f"{sample.ms:.3f}"])


def _write_png(path: Path, picture: QImage) -> None:
    """Raises:
    OSError: it cannot be written.
    """
    writer = QImageWriter(str(path), QByteArray(b"PNG"))
    if not writer.write(picture):
        raise OSError(0, writer.errorString())
