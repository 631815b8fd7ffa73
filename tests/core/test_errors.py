"""Errors of any kind in one line."""

import pytest

from segdesk.core.errors import in_words


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("one\n  two"), "ValueError: one two"),
        (ValueError(), "ValueError"),
        (MemoryError("at 0x1"), "there is not enough memory"),
        (Unprintable(), "Unprintable: it cannot even say why"),
    ],
)
def test_an_error_is_one_line(error, words):
    assert in_words(error) == words


def test_a_long_message_is_cut():
    assert len(in_words(ValueError("word " * 999))) == 400
