"""A panel: a header that names it (and can be dragged when docked), a body, an empty state, room for a question."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from engine.model.words import Mode
from gui.dialogs.confirm import ConfirmStrip
from gui.theme import CARD_PAD, HEADER, Type
from gui.widgets.field import Field
from gui.widgets.tab_strip import TabStrip
from gui.widgets.text import Text


class Header(QWidget):
    """Title tabs to the left, tools to the right."""

    def __init__(self, titles: list[str], *, name: str) -> None:
        super().__init__()
        self.setProperty("part", "header")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEADER)
        self.setMinimumWidth(80)
        self.tabs = TabStrip(titles, name=f"{name}-tabs")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(CARD_PAD, 0, 8, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self.tabs)
        self._row.addStretch(1)

    def add_tool(self, widget: QWidget) -> None:
        self._row.addWidget(widget)


class Panel(QWidget):
    """Header and body may be taken apart: a dock shows the header as its title bar."""

    def __init__(self, name: str, titles: list[str], mode: Mode) -> None:
        super().__init__()
        self.setObjectName(name)
        self.name = name
        self.title = titles[0]
        self.header = Header(titles, name=name)
        self.body = QWidget()
        self.body.setProperty("part", "body")
        self.body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.body.setMinimumSize(160, 60)
        self.confirm = ConfirmStrip(mode, name=f"{name}-confirm")
        self._pages = QStackedLayout()
        inside = QVBoxLayout(self.body)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.setSpacing(0)
        inside.addLayout(self._pages, 1)
        wrapped = QVBoxLayout()
        wrapped.setContentsMargins(6, 0, 6, 6)
        wrapped.setSpacing(6)
        wrapped.addWidget(self.confirm)
        self._foot = wrapped
        inside.addLayout(wrapped)
        self._empty_pages: dict[int, tuple[QStackedLayout, Text]] = {}
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.header)
        whole.addWidget(self.body, 1)
        self.header.tabs.chosen.connect(self._pages.setCurrentIndex)

    def add_foot(self, widget: QWidget) -> None:
        """Beneath the pages, where questions are asked too."""
        self._foot.insertWidget(0, widget)

    def add_page(self, content: QWidget, empty: str = "") -> int:
        """A page of the body. ``empty`` is said in its place while ``set_empty`` says that there is nothing."""
        page = QWidget()
        stack = QStackedLayout(page)
        stack.addWidget(content)
        number = self._pages.addWidget(page)
        words = Text(empty, tone="low", wrap=True, name=f"{self.name}-empty-{number}")
        words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        words.setContentsMargins(CARD_PAD, CARD_PAD, CARD_PAD, CARD_PAD)
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        stack.addWidget(words)
        self._empty_pages[number] = (stack, words)
        return number

    def bring(self, tab: int | None = None) -> None:
        """Into sight, whatever hides it: its dock on top, and that page."""
        dock = self.parentWidget()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()
        if tab is not None:
            self.header.tabs.choose(tab)

    def set_empty(self, page: int, empty: bool, words: str | None = None) -> None:
        stack, text = self._empty_pages[page]
        stack.setCurrentIndex(1 if empty else 0)
        if words is not None:
            text.say(words)


class FilterBox(Field):
    """The filter of a panel; ``/`` brings the cursor here, Escape clears it and gives it back."""

    def __init__(self, name: str, width: int = 96) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(f"Filter of {name.removesuffix('-filter')}")
        self.setPlaceholderText("filter  /")
        self.setFixedWidth(width)
        self.setClearButtonEnabled(False)
        self.setFont(Text(kind=Type.BODY).font())
