"""What the writer knows of Lua's libraries and of Torch7's."""

from __future__ import annotations

from torch7py.lua_compat.basic import FUNCTIONS
from torch7py.lua_compat.values import Library

__all__ = ["LIBRARIES", "SINGLE"]

_STANDARD = {name: set(value.hash_) for name, value in FUNCTIONS.items() if isinstance(value, Library)}
_TORCH = ("torch", "nn", "optim", "paths", "sys", "xlua", "image", "nngraph", "cutorch", "cudnn", "rnn")

# Global name -> its fields that are used as Python attributes; "" stands for the globals that are functions.
LIBRARIES: dict[str, set[str]] = {
    **{name: fields for name, fields in _STANDARD.items() if name != "package"},
    **{name: set() for name in _TORCH},
    "": {name for name, value in FUNCTIONS.items() if callable(value) and not isinstance(value, Library)},
}

SINGLE = frozenset(
    """type tostring rawget rawequal rawlen getmetatable setmetatable collectgarbage require
    math.abs math.acos math.asin math.atan math.atan2 math.ceil math.cos math.cosh math.deg math.exp math.floor
    math.fmod math.ldexp math.log math.log10 math.max math.min math.pow math.rad math.random math.sin math.sinh
    math.sqrt math.tan math.tanh
    string.char string.format string.len string.lower string.rep string.reverse string.sub string.upper
    string.gmatch table.concat table.pack os.clock os.date os.difftime os.getenv os.time os.tmpname
    torch.Tensor torch.DoubleTensor torch.FloatTensor torch.LongTensor torch.IntTensor torch.ByteTensor
    torch.zeros torch.ones torch.rand torch.randn torch.range torch.linspace torch.randperm torch.type
    torch.Timer torch.CmdLine torch.class""".split()
)
"""Functions with exactly one result."""
