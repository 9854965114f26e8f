"""What is measured, handed on: all samples as CSV, the page as it is as PNG."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QMenu

from gui.door import Sample
from gui.widgets.button import Button

if TYPE_CHECKING:
    from gui.widgets.panel import Panel

_FILES: Final = {"csv": "Samples (*.csv)", "png": "Picture (*.png)"}


class Export(QObject):
    def __init__(self, panel: Panel, samples: Callable[[], Sequence[Sample]]) -> None:
        super().__init__(panel)
        self._panel = panel
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

    def to_csv(self, path: str) -> bool:
        """One row a sample, oldest first; False when it cannot be written."""
        try:
            with Path(path).open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["index", "at", "symbol", "stage", "ms"])
                for sample in self._samples():
                    at = sample.at.astimezone(UTC).isoformat(timespec="milliseconds")
                    writer.writerow([sample.index, at, sample.symbol, str(sample.stage), f"{sample.ms:.3f}"])
        except OSError as why:
            return self._tell(f"Not written: {why.strerror or why}")
        return self._tell("")

    def to_png(self, path: str) -> bool:
        """The body of the panel as it is on the screen."""
        done = self._panel.body.grab().save(path, "PNG")
        return self._tell("" if done else f"Not written: {path}")

    def _tell(self, failure: str) -> bool:
        self.failure = failure
        self.button.setText("Not written" if failure else "Export")
        self.button.setToolTip(failure)
        return not failure
