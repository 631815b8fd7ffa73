"""Files that come with SegDesk: palettes and sample images."""
