"""SegDesk: segment images on your desk; all that the window does, from Python."""

__version__ = "0.1.0"
