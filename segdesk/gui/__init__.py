"""The window: the only part of SegDesk that knows Qt."""

# Before Qt: its import hook reads the source of every module that is imported after it.
import segdesk.engine.document
import segdesk.engine.examples
import segdesk.engine.export
import segdesk.engine.images
import segdesk.engine.proposals
import segdesk.engine.tiles
import segdesk.engine.worker  # noqa: F401
