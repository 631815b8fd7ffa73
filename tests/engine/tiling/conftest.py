import pytest

from segdesk.core.image import ArrayImage
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun
from tests.engine.tiling.worlds import spec


@pytest.fixture
def tiled(monkeypatch):
    """Return a function that segments pixels in tiles, and returns the finished run."""

    def run(world, pixels, size=64, task="semantic", **tiling):
        monkeypatch.setitem(registry().segmenters, "world", spec(world, size, task))
        image = pixels if hasattr(pixels, "info") else ArrayImage(pixels)
        run = TiledRun(image, SegmentJob("world", device="cpu"), Tiling(**tiling))
        with Sessions() as sessions:
            run.go(sessions)
        return run

    return run
