"""Everything a user can do, without a window and without torch at import."""
