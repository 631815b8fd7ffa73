"""Writes down what nobody foresaw, and tells the user without ending the program."""

from __future__ import annotations

import faulthandler
import logging
import sys
from types import TracebackType
from typing import TextIO

from PySide6.QtWidgets import QApplication, QMessageBox

from segdesk.engine.folders import cache_folder

NAME = "segdesk.log"


class CrashLog:
    """A file that takes crashes, uncaught errors and warnings while it is open."""

    def __init__(self) -> None:
        self._file: TextIO | None = None
        self._handler: logging.Handler = logging.NullHandler()
        self._is_telling = False

    def open(self) -> None:
        """Begin; without a file where none can be written."""
        path = cache_folder() / NAME
        sys.excepthook = self._on_error
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")
        except OSError:
            return
        faulthandler.enable(self._file)
        self._handler = logging.StreamHandler(self._file)
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(self._handler)

    def close(self) -> None:
        """End."""
        sys.excepthook = sys.__excepthook__
        if self._file:
            faulthandler.disable()
            logging.getLogger().removeHandler(self._handler)
            self._file.close()

    def _on_error(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log an uncaught error, and tell of it unless another one is being told of."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        logging.getLogger(__name__).error("Unforeseen", exc_info=(kind, error, trace))
        if not self._is_telling:
            self._is_telling = True
            _tell(f"Something unforeseen happened ({kind.__name__}: {error}).")
            self._is_telling = False


def _tell(text: str) -> None:
    box = QMessageBox(QMessageBox.Icon.Warning, "SegDesk", text)
    box.setInformativeText(f"Your work is still there. Details are in {cache_folder() / NAME}.")
    box.exec()
