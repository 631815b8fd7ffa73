"""Real images to try things on, which come with scikit-image."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

NAMES = {"Coins": "coins.png", "Tissue": "ihc.png", "Astronaut": "astronaut.png"}


def sample_images() -> dict[str, Path]:
    """Return the paths of the sample images that are there, by what they show."""
    home = find_spec("skimage")
    folder = Path(home.origin).parent / "data" if home and home.origin else Path()
    return {name: folder / file for name, file in NAMES.items() if (folder / file).is_file()}
