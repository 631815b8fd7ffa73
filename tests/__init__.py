"""Tests mirror the tree; a name here, so that they can share code."""
