import os
import sys
from types import SimpleNamespace

import numpy as np

from segdesk.engine.memory import MemoryUse, device_memory, memory_use


def test_own_memory_is_that_of_this_process_and_its_workers():
    alone = memory_use([])
    held = np.ones(64 * 2**20, np.uint8)
    more = memory_use([])
    assert more.own - alone.own > held.nbytes / 2
    assert memory_use([os.getpid()]).own > 1.5 * more.own
    assert memory_use([2**22 - 1]).own < 1.5 * more.own, "one that has ended counts nothing"
    used, total = more.machine
    assert 0 < used < total
    assert more.device is None


def test_little_left_is_seen_on_either():
    assert not MemoryUse(1, (50, 100)).is_short
    assert MemoryUse(1, (95, 100)).is_short
    assert MemoryUse(1, (50, 100), (99, 100)).is_short


def accelerator(available=True, error=None):
    def get_memory_info():
        if error:
            raise error
        return 30, 100

    return SimpleNamespace(is_available=lambda: available, get_memory_info=get_memory_info)


def test_the_memory_of_a_device_is_asked_of_pytorch_where_that_runs(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert device_memory() is None
    for found, wanted in (
        (accelerator(), (70, 100)),
        (accelerator(available=False), None),
        (accelerator(error=RuntimeError("not supported")), None),
        (None, None),
    ):
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(accelerator=found))
        assert device_memory() == wanted
