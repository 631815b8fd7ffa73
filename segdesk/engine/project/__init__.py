"""The project file: every committed edit of some images, kept within moments, in one database."""
