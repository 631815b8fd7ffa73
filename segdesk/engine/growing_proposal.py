"""A proposal that grows while its segmenter still works, and is one step of the history."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import uuid4

from segdesk.engine.document import Document
from segdesk.engine.edit import Edit
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.tiling.growing import Growth

_INTERVAL = 60.0  # seconds between two commits: so much is lost at worst


class GrowingProposal:
    """Adds what a tiled run tells of to a proposal layer, which is made when there is any.

    Parameters
    ----------
    document
        Where to.
    name
        Of the layer; a proposal of that name goes in the same step.
    """

    def __init__(self, document: Document, name: str) -> None:
        self._document, self._name = document, name
        self._key = uuid4().hex
        self._edit: Edit | None = None
        self._committed = time.monotonic()
        self.layer: Layer | None = None
        self.done = self.total = 0

    @property
    def is_untouched(self) -> bool:
        """Whether nothing else has been done to the document since the last tile."""
        last = self._document.history.last
        return self.layer is None or bool(last and last.key == self._key)

    def grow(self, growth: Growth) -> None:
        """Add tiles and segments; nothing once the layer has been removed or accepted."""
        self.done, self.total = growth.done, growth.total
        edit = self._edit = self._edit or self._document.begin(f"Result of {self._name}", self._key)
        layer = self.layer = self.layer or self._new_layer(edit, growth)
        if layer not in self._document.layers or not layer.state.is_proposal:
            return
        edit.add_planes(layer, len(growth.tiles) - len(layer.planes))
        edit.set_segments(layer, {i: s for i, s in growth.segments.items() if s})
        for number, tiles in enumerate(growth.tiles):
            edit.put_tiles(layer, number, tiles)
        edit.set_segments(
            layer, {i: s for i, s in growth.segments.items() if not s and i in layer.segments}
        )
        if time.monotonic() - self._committed > _INTERVAL:
            self.commit()

    def commit(self) -> None:
        """Make what has grown so far a step; what grows after that joins it."""
        self._committed = time.monotonic()
        if self._edit:
            self._edit.commit()

    def _new_layer(self, edit: Edit, growth: Growth) -> Layer:
        document = self._document
        old = next(
            (o for o in document.layers if o.state.is_proposal and o.state.name == self._name), None
        )
        look = old.state if old else LayerState(self._name)
        state = replace(look, task=growth.task, categories=growth.categories, is_proposal=True)
        layer = document.new_layer(state)
        edit.set_layers((*(other for other in document.layers if other is not old), layer))
        return layer
