"""What a program and its page print, value by value: a tensor by its sizes and numbers, a table by what is in it.

Pages print tensors and modules as PyTorch does, so that their texts are not Torch7's.
"""

from __future__ import annotations

import builtins
import math
import re
import sys
from typing import Any

import torch
from torch import nn

from tests.translate import running
from tests.translate.running import whole_library
from torch7py.translate import page_library
from torch7py.translate.native.program import Native

__all__ = ["are_same", "in_page", "in_runtime"]

PRINT = r"""
require 'torch' require 'nn' require 'paths'
local out = {}
local select, concat, tostring, type, pairs, sort = select, table.concat, tostring, type, pairs, table.sort
local typename, isTensor, seed = torch.typename, torch.isTensor, torch.manualSeed
local shown

local function numbers(v, count)
   local parts = {}
   for i = 1, count do parts[i] = ('%.12g'):format(v[i]) end
   return concat(parts, ' ')
end

local function in_table(v)
   local parts, names = {}, {}
   for i = 1, #v do parts[i] = shown(v[i]) end
   for k in pairs(v) do if type(k) == 'string' then names[#names + 1] = k end end
   sort(names)
   for _, k in ipairs(names) do parts[#parts + 1] = k .. '=' .. shown(v[k]) end
   return '{' .. concat(parts, ', ') .. '}'
end

function shown(v)
   local name = typename(v)
   if name and isTensor(v) then
      local sizes, count = {}, v:nElement()
      for i = 1, v:dim() do sizes[i] = v:size(i) end
      return '<' .. concat(sizes, 'x') .. ': ' .. (count > 0 and numbers(v:contiguous():view(-1), count) or '') .. '>'
   elseif name and name:find('Storage') then return '<' .. v:size() .. ': ' .. numbers(v, v:size()) .. '>'
   elseif name then return '<object>'
   elseif type(v) == 'table' then return in_table(v)
   elseif type(v) == 'function' then return '<function>'
   else return tostring(v) end
end

function print(...)
   local parts = {}
   for i = 1, select('#', ...) do parts[i] = shown((select(i, ...))) end
   out[#out + 1] = concat(parts, "\t")
end

function printed() local text = concat(out, "\n") out = {} seed(1) return text end
"""


def in_runtime(source: str) -> str:
    return running.in_runtime(source, PRINT)


def _numbers(x: torch.Tensor) -> str:
    return " ".join(f"{number:.12g}" for number in x.flatten().tolist())


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        if value.dim() == 0:
            return f"{value.item():.14g}"
        sizes = "x".join(map(str, value.shape)) if value.numel() else ""
        return f"<{sizes}: {_numbers(value)}>"
    if isinstance(value, torch.Size):
        return f"<{len(value)}: {' '.join(map(str, value))}>"
    if value is None or isinstance(value, bool):
        return "nil" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:.14g}"
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return f"{{{', '.join(map(_shown, value))}}}"
    if isinstance(value, dict):
        items = [value[place] for place in range(1, len(value) + 1) if place in value]
        names = sorted(key for key in value if isinstance(key, str))
        return f"{{{', '.join([*map(_shown, items), *(f'{k}={_shown(value[k])}' for k in names)])}}}"
    is_function = callable(value) and not isinstance(value, nn.Module)
    return "<function>" if is_function else "<object>"


def in_page(page: Native) -> str:
    written: list[str] = []

    def show(*values: Any, sep: str = " ", end: str = "\n", **_: Any) -> None:
        written.append(sep.join(map(_shown, values)) + end)

    before, arguments, print_before = torch.get_default_dtype(), sys.argv, builtins.print
    sys.modules.setdefault(page_library.MODULE, whole_library())
    sys.argv = ["page.py"]
    builtins.print = show  # type: ignore[assignment]
    try:
        exec(compile(page.code, "page", "exec"), {"__name__": "__main__"})
    finally:
        builtins.print = print_before
        torch.set_default_dtype(before)
        sys.argv = arguments
    return "".join(written).removesuffix("\n")


def are_same(ours: str, theirs: str) -> bool:
    """Whether two texts have the same words, and numbers that are the same but for the order of a sum."""
    pairs = [re.split(r"([\s<>:,{}]+)", text) for text in (ours, theirs)]
    return len(pairs[0]) == len(pairs[1]) and all(
        one == other or _are_close(one, other) for one, other in zip(*pairs, strict=True)
    )


def _are_close(one: str, other: str) -> bool:
    try:
        x, y = float(one), float(other)
    except ValueError:
        return False
    return (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12)
