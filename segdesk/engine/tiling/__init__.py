"""Segments images of any size tile by tile, at a resolution of the user's choice."""
