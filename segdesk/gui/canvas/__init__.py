"""The canvas: shows the document, and lets tools work on it."""

from segdesk.gui.canvas.canvas import Canvas

__all__ = ["Canvas"]
