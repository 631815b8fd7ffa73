"""Draws what a segmenter answers for tiles, of whatever kind the answers are."""

from __future__ import annotations

from segdesk.core.errors import PluginError
from segdesk.core.segmentation import Answer, CategoryScores
from segdesk.engine.tiling.blend import Blender
from segdesk.engine.tiling.growing import Growing
from segdesk.engine.tiling.plan import Plan, Tile
from segdesk.engine.tiling.stitch import Stitcher


class Drawing:
    """Takes the answers for the tiles of a plan, in any order.

    Attributes
    ----------
    done
        Tiles that have been taken.
    """

    def __init__(self, plan: Plan, growing: Growing) -> None:
        self._plan, self._growing = plan, growing
        self.done: set[Tile] = set()
        self.drawer: Blender | Stitcher | None = None  # none before the first answer

    @property
    def nbytes(self) -> int:
        """Memory of what waits for more tiles."""
        return self.drawer.nbytes if self.drawer else 0

    def take(self, tile: Tile, answer: Answer | None) -> None:
        """Draw the answer for a tile; None where the tile is left out.

        Raises ``PluginError`` when it is of another kind than the others.
        """
        if answer is None:
            if self.drawer:
                self.drawer.skip(tile)
        else:
            self._draw(tile, answer)
        self.done.add(tile)

    def begin(self, answer: Answer) -> Blender | Stitcher:
        """Get ready for answers of this kind."""
        task = "semantic" if isinstance(answer, CategoryScores) else answer.task
        self._growing.expect(task, answer.categories)
        if isinstance(answer, CategoryScores):
            self.drawer = Blender(self._plan, self._growing, answer)
        else:
            self.drawer = Stitcher(self._plan, self._growing)
        for tile in self.done:
            self.drawer.skip(tile)
        return self.drawer

    def _draw(self, tile: Tile, answer: Answer) -> None:
        drawer = self.drawer or self.begin(answer)
        if answer.categories == self._growing.categories:
            if isinstance(answer, CategoryScores) and isinstance(drawer, Blender):
                return drawer.add(tile, answer)
            if not isinstance(answer, CategoryScores) and isinstance(drawer, Stitcher):
                return drawer.add(tile, answer)
        raise PluginError("The segmenter does not answer in the same way for all tiles.")
