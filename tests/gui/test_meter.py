from segdesk.engine.memory import MemoryUse
from segdesk.engine.worker import Workers
from segdesk.gui.meter import MemoryMeter

GIB = 2**30


def test_the_meter_says_what_is_in_use_and_warns(qtbot):
    meter = MemoryMeter(Workers())
    qtbot.addWidget(meter)
    meter.show()
    meter.refresh()
    assert meter.text().endswith(" GiB")
    assert float(meter.text().split()[0]) > 0
    meter.show_use(MemoryUse(3 * GIB, (8 * GIB, 16 * GIB)))
    assert (meter.text(), meter.font().bold()) == ("3.0 GiB", False)
    meter.show_use(MemoryUse(3 * GIB, (8 * GIB, 16 * GIB), (23 * GIB, 24 * GIB)))
    assert (meter.text(), meter.font().bold()) == ("3.0 GiB  device 23.0 GiB", True)
    assert "Device: 23.0 of 24.0 GiB in use" in meter.toolTip()
