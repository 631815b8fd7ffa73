"""The memory meter in the status bar."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QWidget

from segdesk.engine.memory import MemoryUse, Usage, memory_use
from segdesk.engine.worker import Workers

INTERVAL_MS = 2000
_GIB = 2**30


class MemoryMeter(QLabel):
    """Says what SegDesk and its models hold; bold once little is left."""

    def __init__(self, workers: Workers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workers = workers
        self.setAccessibleName("Memory")
        self.setContentsMargins(6, 0, 6, 0)
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()

    def refresh(self) -> None:
        """Look again."""
        if self.isVisible():
            self.show_use(memory_use(self._workers.pids, self._workers.device_memory))

    def show_use(self, use: MemoryUse) -> None:
        """Show what is in use."""
        font = self.font()
        font.setBold(use.is_short)
        self.setFont(font)
        text = f"{use.own / _GIB:.1f} GiB"
        if use.device:
            text += f"  device {use.device[0] / _GIB:.1f} GiB"
        self.setText(text)
        lines = [f"SegDesk and its models: {use.own / _GIB:.1f} GiB", f"All: {_words(use.machine)}"]
        if use.device:
            lines.append(f"Device: {_words(use.device)}")
        self.setToolTip("\n".join(lines))


def _words(usage: Usage) -> str:
    used, total = usage
    return f"{used / _GIB:.1f} of {total / _GIB:.1f} GiB in use"
