"""Progress of a part, and stop."""

import pytest

from segdesk.core.errors import Cancelled
from segdesk.core.progress import part, silent


def test_a_part_fills_its_share_of_the_whole():
    heard = []
    half = part(lambda fraction, message: heard.append((fraction, message)), 0.5, 1.0)
    half(0.0, "start")
    part(half, 0.0, 0.5)(1.0, "middle")
    half(1.0, "end")
    assert heard == [(0.5, "start"), (0.75, "middle"), (1.0, "end")]


def test_a_stop_goes_through_a_part():
    def stop(fraction, message):
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        part(stop, 0, 1)(0.5, "")


def test_silent_says_nothing(capsys):
    silent(0.5, "half")
    assert capsys.readouterr() == ("", "")
