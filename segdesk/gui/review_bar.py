"""A line above the image while a proposal waits for the user's judgement."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from segdesk.engine.document import Document
from segdesk.engine.layer import Layer
from segdesk.gui.editor import Editor


class ReviewBar(QFrame):
    """Names the proposal, and offers to accept or reject it."""

    def __init__(
        self, editor: Editor, accept: QAction, reject: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self._editor = editor
        self._text = QLabel()
        self._timer = QTimer(self, singleShot=True, interval=0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 6, 4)
        layout.addWidget(self._text, 1)
        for action in (accept, reject):
            layout.addWidget(_button(action))
        self._timer.timeout.connect(self._refresh)
        editor.document_changed.connect(self._refresh)
        editor.updated.connect(self._on_editor_updated)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def _on_editor_updated(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _refresh(self) -> None:
        layer = proposal_of(self._editor.document)
        self.setVisible(layer is not None)
        if layer:
            count = len(layer.segments)
            noun = "segment" if count == 1 else "segments"
            self._text.setText(f"Proposal: {layer.state.name}, {count:,} {noun}")


def proposal_of(document: Document | None) -> Layer | None:
    """Return the proposal to be judged: the active layer, else the topmost one; None for none."""
    layers = document.layers if document else ()
    active = document.active if document else None
    if active and active.state.is_proposal:
        return active
    return next((layer for layer in reversed(layers) if layer.state.is_proposal), None)


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button
