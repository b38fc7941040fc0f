"""The settings that optimizers did not know yet in October 2015: optim's lines of the table of quirks."""

from __future__ import annotations

from torch7py.ops.quirks import QUIRKS, Quirk, disregard, older
from torch7py.packages.registry import function

__all__ = ["knows"]

QUIRKS |= {
    "optim.adadelta weightDecay": Quirk("2016-05-19", "62d97dd", "no such setting"),
    "optim.adagrad weightDecay": Quirk("2016-02-18", "7177df1", "no such setting"),
    "optim.adam learningRateDecay": Quirk("2016-07-21", "f400f66", "no such setting"),
    "optim.adam weightDecay": Quirk("2016-06-10", "6534bfd", "no such setting"),
    "optim.adamax weightDecay": Quirk("2016-06-15", "8adbeed", "no such setting"),
    "optim.rmsprop initialMean": Quirk("2016-09-06", "0154acd", "no such setting"),
    "optim.rmsprop weightDecay": Quirk("2016-04-12", "b7cd22f", "no such setting"),
}


@function("optim.knows")
def knows(optimizer: str, setting: str) -> bool:
    """Whether an optimizer has a setting in the program's generation; said once where it has not.

    It is for the package's Lua files, which take it out of the program's table.
    """
    name = f"{optimizer} {setting}"
    if not older(name):
        return True
    disregard(f"setting {setting} of {optimizer}", QUIRKS[name].until)
    return False
