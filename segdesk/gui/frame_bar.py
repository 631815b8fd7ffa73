"""The line below the image of a stack: which frame is on show, and a way to play them."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QSpinBox

from segdesk.gui.canvas import Canvas
from segdesk.gui.editor import Editor
from segdesk.gui.icons import IconButton

FRAMES_PER_SECOND = 12


class FrameBar(QFrame):
    """A slider over the frames; hidden where there is only one."""

    def __init__(self, editor: Editor, canvas: Canvas) -> None:
        super().__init__()
        self.setObjectName("bar")
        self._editor, self._canvas = editor, canvas
        self._timer = QTimer(self, interval=1000 // FRAMES_PER_SECOND)
        self._timer.timeout.connect(self._go_on)
        self.play = IconButton("play", "Play the frames, or stop (F8)")
        self.play.setCheckable(True)
        self.play.clicked.connect(self.toggle)
        self.slider = QSlider(Qt.Orientation.Horizontal, pageStep=10)
        self.slider.setAccessibleName("Frame")
        self.slider.setToolTip("Frame: , and . or Alt+wheel go through them")
        self.slider.valueChanged.connect(lambda value: editor.set_frame(value - 1))
        self.number = QSpinBox(minimum=1, keyboardTracking=False)
        self.number.setAccessibleName("Number of the frame")
        self.number.valueChanged.connect(self.slider.setValue)
        self._count = QLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        for widget in (self.play, self.slider, self.number, self._count):
            row.addWidget(widget)
        row.setStretch(1, 1)
        editor.document_changed.connect(self._on_document_changed)
        editor.frame_changed.connect(self._show_frame)
        self._on_document_changed()

    @property
    def is_playing(self) -> bool:
        """Whether the frames change by themselves."""
        return self._timer.isActive()

    def toggle(self) -> None:
        """Play the frames over and over, or stop."""
        if self.is_playing:
            self._timer.stop()
        elif self._editor.frames > 1:
            self._timer.start()
        self.play.setChecked(self.is_playing)

    def _go_on(self) -> None:
        """Show the next frame, once the one before has been seen."""
        if self._canvas.is_sharp:
            self._editor.set_frame((self._editor.frame + 1) % self._editor.frames)

    def _on_document_changed(self) -> None:
        if self.is_playing:
            self.toggle()
        frames = self._editor.frames
        self.setVisible(frames > 1)
        self.slider.setRange(1, frames)
        self.number.setMaximum(frames)
        self._count.setText(f"of {frames}")
        self._show_frame(self._editor.frame)

    def _show_frame(self, frame: int) -> None:
        self.slider.setValue(frame + 1)
        self.number.setValue(frame + 1)
