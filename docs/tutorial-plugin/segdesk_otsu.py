# A first plugin: what is brighter than Otsu's threshold.
from dataclasses import dataclass

from segdesk.api import Category, Segment, SegmenterSpec, SegmentIds, hookimpl


@dataclass(frozen=True)
class Options:
    invert: bool = False


class Otsu:
    def segment(self, request, report):
        from skimage.filters import threshold_otsu

        grey = request.rgb.mean(axis=2)
        ids = ((grey > threshold_otsu(grey)) != request.options.invert).astype("int32")
        return SegmentIds(ids, (Segment(1, 1),), (Category(1, "object", (213, 94, 0)),))

    def close(self): ...


@hookimpl
def segdesk_segmenters():
    return [SegmenterSpec("otsu", "Otsu threshold", "semantic", lambda *_: Otsu(), options=Options)]
