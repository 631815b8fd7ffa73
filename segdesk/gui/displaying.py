"""Which pixel values become black and white, and which bands become which colour."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from segdesk.core.display import Bands, Display, default_display, ranged_display
from segdesk.core.image import ImageInfo, Pixels
from segdesk.engine.images import overview
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Lane
from segdesk.gui.shelf import Entry, Shelf

SAMPLE = 768  # pixels in a row and a column from which ranges are estimated
AUTO = (1.0, 99.8)
EXTREMES = (0.0, 100.0)


class Displaying(QObject):
    """Changes the display of the image on show; its pixels stay as they are.

    Attributes
    ----------
    sample
        (rows, columns, bands) pixels all over the image; None until they have been read.

    Signals
    -------
    sampled
        ``sample`` has changed.
    """

    sampled = Signal()

    def __init__(self, editor: Editor, shelf: Shelf, lane: Lane) -> None:
        super().__init__(editor)
        self._editor, self._shelf, self._lane = editor, shelf, lane
        self._asked: Entry | None = None
        self.sample: Pixels | None = None
        editor.document_changed.connect(self._forget)

    @property
    def info(self) -> ImageInfo | None:
        """What the header of the image says."""
        return self._editor.document.image.info if self._editor.document else None

    def want_sample(self) -> None:
        """Read a sample of the image on show, unless that has been done."""
        entry, frame = self._shelf.current, self._editor.frame
        if entry and self._asked is not entry:
            self._asked, image = entry, entry.document.image
            job = self._lane.submit(lambda _: overview(image, SAMPLE, frame), "Reading values")
            self._shelf.hold_during(entry, job)
            job.succeeded.connect(partial(self._on_sampled, entry))

    def fit_range(self, percentiles: tuple[float, float]) -> None:
        """Take the range from the values of the image."""
        info, display = self.info, self._editor.display
        if info and display and self.sample is not None:
            bands, gamma = display.bands, display.gamma
            self._editor.set_display(ranged_display(info, self.sample, percentiles, bands, gamma))

    def reset(self) -> None:
        """Show the image as it was at first."""
        if self.info:
            self._editor.set_display(default_display(self.info, self.sample))

    def set_bands(self, bands: Bands) -> None:
        """Choose the bands that are shown as red, green and blue."""
        self._change(bands=bands)

    def set_range(self, channels: tuple[int, ...], low: float, high: float) -> None:
        """Choose the values that some channels (0 to 2) show as black and as full."""
        display = self._editor.display
        if display and low < high:
            lows = tuple(low if c in channels else display.low[c] for c in range(3))
            highs = tuple(high if c in channels else display.high[c] for c in range(3))
            self._change(low=lows, high=highs, origin="hand")

    def set_gamma(self, gamma: float) -> None:
        """Choose the gamma; above 1 it lightens what is dark."""
        self._change(gamma=gamma)

    def _change(self, **fields: object) -> None:
        display: Display | None = self._editor.display
        if display:
            self._editor.set_display(replace(display, **fields))  # type: ignore[arg-type]  # by name

    def _forget(self) -> None:
        if self._shelf.current is not self._asked:
            self._asked, self.sample = None, None
            self.sampled.emit()

    def _on_sampled(self, entry: Entry, sample: Pixels) -> None:
        if entry is self._asked:
            self.sample = sample
            self.sampled.emit()
