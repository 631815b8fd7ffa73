"""Listeners."""

import pytest

from segdesk.core.events import Event


def test_listeners_hear_in_the_order_they_came():
    heard = []
    event = Event()
    event.connect(lambda value: heard.append(("first", value)))
    event.connect(lambda value: heard.append(("second", value)))
    event.emit(1)
    assert heard == [("first", 1), ("second", 1)]


def test_a_disconnected_listener_hears_nothing_more():
    heard = []
    event = Event()
    event.connect(heard.append)
    event.emit(1)
    event.disconnect(heard.append)
    event.emit(2)
    assert heard == [1]


def test_a_listener_may_disconnect_itself_while_it_listens():
    heard = []
    event = Event()

    def once(value):
        heard.append(value)
        event.disconnect(once)

    event.connect(once)
    event.connect(heard.append)
    event.emit(1)
    event.emit(2)
    assert heard == [1, 1, 2]


def test_disconnecting_a_stranger_is_an_error():
    with pytest.raises(ValueError, match="not in list"):
        Event().disconnect(print)
