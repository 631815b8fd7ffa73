import numpy as np
import pytest

from segdesk.core.image import ImageInfo
from segdesk.engine.halving import halved


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32", "bool"])
@pytest.mark.parametrize("shape", [(8, 6, 3), (7, 5, 1), (1, 1, 2), (4, 3, 7)])
def test_a_pixel_is_the_mean_of_four(dtype, shape):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 100, shape).astype(dtype)
    info = ImageInfo("x", shape[1], shape[0], shape[2], dtype)
    found = halved(pixels, info)
    even = np.pad(pixels, ((0, shape[0] % 2), (0, shape[1] % 2), (0, 0)), "edge")
    even = even.astype(float)
    means = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    assert found.dtype == dtype
    assert found.shape == means.shape
    np.testing.assert_allclose(found.astype(float), means, atol=0.5)


@pytest.mark.parametrize("special", [{"nodata": -9.0}, {"palette": ((0, 0, 0), (1, 1, 1))}])
def test_values_that_must_not_be_mixed_stay_as_they_are(special):
    pixels = np.arange(35, dtype=np.int16).reshape(7, 5, 1)
    info = ImageInfo("x", 5, 7, 1, "int16", **special)
    np.testing.assert_array_equal(halved(pixels, info), pixels[::2, ::2])
