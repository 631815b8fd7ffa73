"""The line above the image: what the chosen tool does and, while one waits, the proposal."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from segdesk.engine.document import Document
from segdesk.engine.layer import Layer
from segdesk.gui.editor import Editor
from segdesk.gui.theme import ICON_SIZE
from segdesk.gui.tools import TOOLS


class ReviewBar(QFrame):
    """Is there as long as an image is, so that nothing moves when a proposal comes or goes."""

    def __init__(
        self, editor: Editor, accept: QAction, reject: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self._editor = editor
        self._text = QLabel()
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._buttons = [_button(accept), _button(reject)]
        self._timer = QTimer(self, singleShot=True, interval=0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 6, 4)
        for widget in (self._text, *self._buttons):
            layout.addWidget(widget)
        layout.setStretch(0, 1)
        self.setFixedHeight(self._buttons[0].sizeHint().height() + 8)
        self._words = ""
        self._timer.timeout.connect(self._refresh)
        editor.document_changed.connect(self._refresh)
        editor.tool_changed.connect(self._refresh)
        editor.updated.connect(self._on_editor_updated)
        self._refresh()

    @property
    def text(self) -> str:
        """What it says, as far as it is wide enough."""
        return self._words

    @property
    def is_judging(self) -> bool:
        """Whether it offers to accept or reject a proposal."""
        return not self._buttons[0].isHidden()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say as much as there is room for."""
        super().resizeEvent(event)
        self._elide()

    def _on_editor_updated(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _refresh(self) -> None:
        layer = proposal_of(self._editor.document)
        self.setVisible(self._editor.document is not None)
        for button in self._buttons:
            button.setVisible(layer is not None)
        self._words = _about(layer) if layer else _hint(self._editor.tool)
        self._text.setToolTip(self._words)
        self._elide()

    def _elide(self) -> None:
        self.layout().activate()
        end, width = Qt.TextElideMode.ElideRight, self._text.width()
        self._text.setText(self._text.fontMetrics().elidedText(self._words, end, width))


def proposal_of(document: Document | None) -> Layer | None:
    """Return the proposal to be judged: the active layer, else the topmost one; None for none."""
    layers = document.layers if document else ()
    active = document.active if document else None
    if active and active.state.is_proposal:
        return active
    return next((layer for layer in reversed(layers) if layer.state.is_proposal), None)


def _about(proposal: Layer) -> str:
    count = len(proposal.segments)
    return f"Proposal: {proposal.state.name}, {count:,} segment{'s' * (count != 1)}"


def _hint(tool_id: str) -> str:
    tool = next((tool for tool in TOOLS if tool.id == tool_id), None)
    return f"{tool.title}: {tool.tooltip}" if tool else ""


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setIconSize(ICON_SIZE)
    return button
