"""The main window: puts its parts together, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QToolBar, QVBoxLayout, QWidget

from segdesk.gui.actions import Actions
from segdesk.gui.asking import Asking
from segdesk.gui.brush_size import BrushSize
from segdesk.gui.canvas import Canvas
from segdesk.gui.docks import Docks
from segdesk.gui.editor import Editor
from segdesk.gui.frame_bar import FrameBar
from segdesk.gui.loading import local_files
from segdesk.gui.menus import TOOL_BAR, action_table
from segdesk.gui.message_bar import MessageBar
from segdesk.gui.project_bars import ProjectBars
from segdesk.gui.recent_menu import RecentMenu
from segdesk.gui.review_bar import ReviewBar
from segdesk.gui.settings import settings
from segdesk.gui.status import Status
from segdesk.gui.theme import ICON_SIZE
from segdesk.gui.tools import TOOLS
from segdesk.gui.workbench import Workbench

FIRST_SIZE = QSize(1440, 900)
PATIENCE_MS = 500  # how long the rest of the window waits for an image


class MainWindow(QMainWindow):
    """Canvas in the middle, tools on the left, panels around, jobs below.

    Only what the first frame shows is made at once; ``complete`` does the rest after it.

    Attributes
    ----------
    is_complete
        Whether the rest is there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.editor = Editor(self)
        self.canvas = Canvas(self.editor)
        self.bench = Workbench(self.editor, self.canvas)
        self.asking = Asking(self)
        self.actions_ = Actions(action_table(), self)
        self.message_bar = MessageBar()
        self.project_bars = ProjectBars(self)
        accept, reject = self.actions_["accept"], self.actions_["reject"]
        self.review_bar = ReviewBar(self.editor, accept, reject)
        self.frame_bar = FrameBar(self.editor, self.canvas)
        self._stack = QStackedWidget()
        self._refresh_timer = QTimer(self, singleShot=True, interval=0)
        self._is_begun = False
        self.is_complete = False
        self._make_bars()
        self._make_centre()
        self.docks = Docks(self)
        self.actions_.menus["&View"].addMenu(self.docks.menu())
        self.status = Status(self)
        self._connect()
        self._restore()

    def complete(self) -> None:
        """Make what the first frame could do without, piece by piece so that nothing stutters."""
        if not self._is_begun:
            self._is_begun = True
            self._do_in_turn(iter((*self.docks.fillers(), self._finish)))

    def _do_in_turn(self, pieces: Iterator[Callable[[], object]]) -> None:
        piece = next(pieces, None)
        if piece:
            piece()
            QTimer.singleShot(0, self, lambda: self._do_in_turn(pieces))

    def _finish(self) -> None:
        self._main_bar.addSeparator()
        self._main_bar.addWidget(BrushSize(self.editor))
        self.actions_.show_icons()
        self.actions_.refresh()
        self.bench.opening.get_ready()
        self.bench.projects.find_unsaved()
        self.is_complete = True

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back to a window."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def showEvent(self, event: QShowEvent) -> None:
        """Offer ways to begin where there is no image."""
        self._on_document_changed()
        super().showEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, and see to the rest soon: at once where there is no image to wait for."""
        super().paintEvent(event)
        if not self._is_begun:
            QTimer.singleShot(PATIENCE_MS if self.editor.document else 0, self.complete)

    def changeEvent(self, event: QEvent) -> None:
        """Colour the icons for another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.is_complete:
            self.actions_.show_icons()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if local_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        event.acceptProposedAction()
        self.bench.opening.open(local_files(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask for work that would be lost, remember the layout, and end all jobs."""
        if not self.asking.may_discard():
            event.ignore()
            return
        settings().setValue("geometry", self.saveGeometry())
        settings().setValue("layout", self.saveState())
        event.accept()
        self.hide()  # jobs may take a moment to stop
        self.canvas.end_jobs()
        self.bench.close()

    def _make_bars(self) -> None:
        main = self._main_bar = QToolBar("Main toolbar", self)
        tools = QToolBar("Tools", self)
        for bar in (main, tools):
            bar.setObjectName(bar.windowTitle())
            bar.setIconSize(ICON_SIZE)
            bar.setMovable(False)
        self.actions_.fill_tool_bar(main, TOOL_BAR)
        self.actions_.fill_tool_bar(tools, [f"tool_{tool.id}" for tool in TOOLS])
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, main)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, tools)
        self.actions_.fill_menu_bar(self.menuBar())
        self.actions_.menus["&File"].insertMenu(
            self.actions_["paste"], RecentMenu(lambda path: self.bench.opening.open([path]), self)
        )
        self.actions_.attach(self)

    def _make_centre(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.message_bar)
        column.addWidget(self.project_bars)
        column.addWidget(self.review_bar)
        column.addWidget(self._stack, 1)
        column.addWidget(self.frame_bar)
        self._stack.addWidget(self.canvas)
        self.setCentralWidget(centre)
        self.setAcceptDrops(True)

    def _connect(self) -> None:
        editor, bench = self.editor, self.bench
        editor.failed.connect(self.message_bar.show_failure)
        editor.document_changed.connect(self.message_bar.hide)
        editor.document_changed.connect(self._on_document_changed)
        self.canvas.first_frame_painted.connect(self.complete)
        bench.opening.pixels_made.connect(self.canvas.look_again)
        bench.opening.browsed_changed.connect(self._on_document_changed)
        bench.job_started.connect(self.status.jobs.add)
        self.canvas.job_started.connect(self.status.jobs.add)
        bench.projects.may_leave = lambda: self.asking.projects.may_leave()
        bench.keeping.rescued.connect(self.message_bar.show_failure)
        bench.keeping.project_changed.connect(self._on_document_changed)
        bench.keeping.images_changed.connect(self._on_document_changed)
        bench.keeping.state_changed.connect(self._on_anything_changed)
        bench.segmenting.viewport = self.canvas.visible_window
        self._refresh_timer.timeout.connect(self._refresh)
        for signal in (
            editor.updated,
            editor.selection_changed,
            editor.tool_changed,
            bench.segmenting.running_changed,
            bench.segmenting.choice.changed,
        ):
            signal.connect(self._on_anything_changed)

    def _on_document_changed(self) -> None:
        entry = self.bench.shelf.current
        self.setWindowTitle(self._title())
        if not entry and self._stack.count() == 1:
            self._stack.addWidget(self._make_welcome())
        self._stack.setCurrentIndex(0 if entry else 1)
        self.canvas.setFocus()
        self._refresh()

    def _title(self) -> str:
        """Return "image - project - SegDesk", as far as there is such."""
        entry, place = self.bench.shelf.current, self.bench.opening.place
        project = self.bench.keeping.project
        names = [f"{entry.name}[*]" + (f" ({place})" if place else "")] if entry else []
        if project and project.origin:
            names.append(project.origin.stem + ("" if entry else "[*]"))
        return " - ".join((*names, "SegDesk"))

    def _make_welcome(self) -> QWidget:
        from segdesk.gui.welcome import Welcome

        welcome = Welcome([self.actions_[name] for name in ("open", "open_folder", "paste")])
        welcome.chosen.connect(lambda path: self.bench.opening.open([path]))
        welcome.sample_chosen.connect(self.bench.opening.open_sample)
        return welcome

    def _refresh(self) -> None:
        self.actions_.refresh()
        for action, step in (("undo", self.bench.undoable), ("redo", self.bench.redoable)):
            words = f"&{action.capitalize()} {step.replace('&', '&&')}"
            self.actions_[action].setText(words.rstrip())
        is_kept = self.bench.keeping.state in ("", "kept")
        self.setWindowModified(not is_kept or bool(self.bench.shelf.unnamed()))

    def _on_anything_changed(self) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _restore(self) -> None:
        """Put window and docks where they were last time."""
        stored = settings()
        self.resize(FIRST_SIZE)
        geometry, layout = stored.value("geometry"), stored.value("layout")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        if isinstance(layout, QByteArray):
            self.restoreState(layout)
