"""The plugins that come with SegDesk; each registers by the same entry point as a stranger's."""
