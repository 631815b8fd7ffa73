"""The images of the project: go through them, find missing ones, remove some."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from segdesk.gui.icons import IconButton, icon
from segdesk.gui.panels.rows import ROW_SIZE, Index, ItemRole, RowModel
from segdesk.gui.theme import shades
from segdesk.gui.workbench import Workbench


class ImageModel(RowModel):
    """A row for each image: its name, and what is the matter with it."""

    titles = ("Image", "State")

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench = bench
        self.images: tuple[Any, ...] = ()  # of ProjectImage

    def refresh(self) -> None:
        """Show the images as they are now."""
        project = self._bench.keeping.project
        self.images = project.images if project else ()
        self.reset()

    def count(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def data(self, index: Index, role: int = ItemRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        image = self.images[index.row()]
        if role == ItemRole.DisplayRole:
            return self._state(image) if index.column() else image.name
        if role == ItemRole.ToolTipRole:
            return image.problem or (image.link.path if image.link else "kept in the project")
        if role == ItemRole.DecorationRole and index.column() == 0:
            return icon("warning" if image.problem else "image")
        if role == ItemRole.ForegroundRole and image.problem:
            return QBrush(QColor(shades().muted))
        return ROW_SIZE if role == ItemRole.SizeHintRole else None

    def _state(self, image: Any) -> str:
        if image.problem:
            return "changed" if "has changed" in image.problem else "missing"
        entry = self._bench.shelf.entry(image.id)
        if not entry:
            return ""
        return "edited" if entry.has_work else "no work"


class ImagesPanel(QWidget):
    """The list, with buttons for what can be done with the chosen image.

    Signals
    -------
    removed
        The number of an image that the user wants out of the project.
    relinked
        The user wants to say where the image on show is.
    """

    removed = Signal(int)
    relinked = Signal()

    def __init__(self, bench: Workbench, add: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.model = ImageModel(bench, self)
        self.view = QTreeView()
        self.remove = IconButton("trash", "Remove the chosen image from the project")
        self.relink = IconButton("link", "Say where the file of the chosen image is")
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._make_view()
        self._lay_out(add)
        self._connect()
        self._refresh()

    def _make_view(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setAccessibleName("Images of the project")
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = view.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def _lay_out(self, add: QAction) -> None:
        button = QToolButton()
        button.setDefaultAction(add)
        row = QHBoxLayout()
        for widget in (button, self.relink, self.remove):
            row.addWidget(widget)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.view)
        column.addLayout(row)

    def _connect(self) -> None:
        keeping = self._bench.keeping
        self._timer.timeout.connect(self._refresh)
        for signal in (keeping.project_changed, keeping.images_changed, keeping.state_changed):
            signal.connect(self._on_anything_changed)
        self._bench.editor.document_changed.connect(self._on_anything_changed)
        self.view.activated.connect(self._on_view_activated)
        self.view.clicked.connect(self._on_view_activated)
        self.view.customContextMenuRequested.connect(self._on_menu_requested)
        self.remove.clicked.connect(self._on_remove_clicked)
        self.relink.clicked.connect(self.relinked)

    def _on_anything_changed(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _refresh(self) -> None:
        self.model.refresh()
        entry = self._bench.shelf.current
        on_show = entry.image if entry else None
        images = self.model.images
        if on_show in images:
            self.view.setCurrentIndex(self.model.index(images.index(on_show), 0))
        self.remove.setEnabled(on_show in images)
        self.relink.setEnabled(on_show is not None and on_show.link is not None)

    def _on_view_activated(self, index: Index) -> None:
        self._bench.opening.open_image(self.model.images[index.row()].id)

    def _on_remove_clicked(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.removed.emit(self.model.images[index.row()].id)

    def _on_menu_requested(self, at: QPoint) -> None:
        index = self.view.indexAt(at)
        if index.isValid():
            menu = QMenu(self)
            image = self.model.images[index.row()].id
            menu.addAction("Remove from Project…", partial(self.removed.emit, image))
            menu.exec(self.view.viewport().mapToGlobal(at))
