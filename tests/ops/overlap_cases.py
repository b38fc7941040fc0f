"""Calls of the register's operations whose operands share memory with what they write to.

``python -m tests.ops.overlap_cases > cases.lua`` writes them as a program in Lua, which prints a line for each: what is
then in the memory. ``golden/overlaps.txt.gz`` holds what the original printed; where it crashed (a division by zero),
``crash``.
"""

from __future__ import annotations

import itertools

import torch7py.ops.all  # noqa: F401  (registers the operations)
from torch7py.ops.registry import Case, Form, operations

# In x, 3 x 3 (7 in `vector`): the tensor `a`, which is written to, and `b`, which is read. `d` is apart.
LAYOUTS = {
    "same": ("x", "x"),
    "down": ("x:narrow(1, 2, 2)", "x:narrow(1, 1, 2)"),
    "up": ("x:narrow(1, 1, 2)", "x:narrow(1, 2, 2)"),
    "right": ("x:narrow(2, 2, 2)", "x:narrow(2, 1, 2)"),
    "left": ("x:narrow(2, 1, 2)", "x:narrow(2, 2, 2)"),
    "turned": ("x", "x:t()"),
    "turns": ("x:t()", "x"),
    "row": ("x", "x:narrow(1, 2, 1):expand(3, 3)"),
    "column": ("x", "x:narrow(2, 2, 1):expand(3, 3)"),
    "places": ("x:narrow(1, 2, 1):expand(3, 3)", "x"),
    "places of columns": ("x:narrow(2, 1, 1):expand(3, 3)", "x"),
    "other shape": ("x:view(9):narrow(1, 3, 6)", "x:narrow(1, 1, 2)"),
    "vector": ("x:view(9):narrow(1, 2, 6)", "x:view(9):narrow(1, 1, 6)"),
}
TYPES = ("Double", "Float", "Int", "Byte")
MISSING = {("neg", "Int"), ("neg", "Byte"), ("abs", "Byte")}  # the original has these for other types only
WHOLE_ONLY = ("bit", "cbit", "lshift", "rshift", "clshift", "crshift")
OTHERS = {
    "copy": ["a:copy(b)", "a:narrow(1, 1, 1):copy(b:narrow(1, 2, 1))"],
    "index": ["a:index(b, 1, index)", "a:index(b, b:dim(), index)"],
    "indexCopy": ["a:indexCopy(1, index, b)", "a:indexCopy(a:dim(), index, b)"],
    "indexAdd": ["a:indexAdd(1, index, b)", "a:indexAdd(a:dim(), index, b)"],
    "gather": ["a:gather(b, 1, places)", "a:gather(b, a:dim(), places)"],
    "scatter": ["a:scatter(1, places, b)", "a:scatter(a:dim(), places, b)"],
    "maskedCopy": ["a:maskedCopy(mask, b)"],
    "maskedSelect": ["a:maskedSelect(b, mask)"],
    "cat": ["a:cat(b:narrow(1, 1, 1), b:narrow(1, 2, b:size(1) - 1), 1)"],
    "sort": ["a:sort(b)"],
    "map": ["a:map(b, function(p, q) return p + q end)"],
    "map2": ["a:map2(b, d, function(p, q, r) return p + q * r end)"],
    "__newindex": ["a[{{1, 2}}] = b[{{1, 2}}]", "a[1] = b[2]"],
}


def _calls(name: str, form: Form, case: Case) -> list[str]:
    """In place with all operands that there are, and with the result going to `a`."""
    tensors = [p.name for p in case.parameters if p.kind not in ("real", "number")]
    made = []
    in_place = form is Form.UPDATE and case.parameters[0].name == tensors[0] and len(tensors) > 1
    for operands in itertools.product("abd", repeat=len(tensors)):
        if not set(operands[1 if in_place and operands[0] == "a" else 0 :]) & set("ab"):
            continue
        given = dict(zip(tensors, operands, strict=True))
        values = [given.get(p.name, "2") for p in case.parameters]
        made.append(f"torch.{name}(a, {', '.join(values)})")
        if in_place and operands[0] == "a":
            made.append(f"a:{name}({', '.join(values[1:])})")
    return made


def cases() -> list[tuple[str, str, str]]:
    """(type, layout, call)"""
    calls: list[tuple[str, bool, bool, str]] = []
    for name, operation in operations.items():
        for case in operation.cases:
            if (
                operation.form not in (Form.UPDATE, Form.QUERY)
                or not case.elementwise
                or name.startswith("__")
            ):
                continue
            floating = any(p.kind == "F" for p in case.parameters)
            calls += [(name, floating, case.returns == "Byte", c) for c in _calls(name, operation.form, case)]
    found = []
    for number_type, layout in itertools.product(TYPES, LAYOUTS):
        if number_type in ("Float", "Byte") and layout not in ("down", "turned", "row", "places"):
            continue
        for name, floating, byte, call in calls:
            whole = number_type in ("Int", "Byte")
            if (name, number_type) in MISSING:
                continue
            if (number_type != "Double" and floating) or (not whole and name.startswith(WHOLE_ONLY)):
                continue
            if byte and number_type != "Byte":
                continue
            found.append((number_type, layout, call))
        for name, others in OTHERS.items():
            # The original's `cat` and `maskedSelect` then read what is no longer there.
            if not (name == "cat" and layout in ("other shape", "vector")) and layout != "same":
                found += [(number_type, layout, call) for call in others]
    return found


PRELUDE = """
local first = {3, 1, 2, 1.5, 2.25, 1, 2, 3.5, 1}
function show(number_type, layout, view, call)
   local x, d = torch[number_type .. 'Tensor'](first):view(3, 3), torch[number_type .. 'Tensor'](9):fill(2)
   local a, b = view(x)
   d = d:narrow(1, 1, a:nElement()):viewAs(b)
   local index = torch.range(a:size(1), 1, -1):long()
   local places = torch.LongTensor(a:size()):fill(1)
   places:narrow(1, places:size(1), 1):fill(2)
   local mask = torch.ByteTensor(a:size()):fill(1)
   mask:narrow(1, 2, 1):fill(0)
   local ok = pcall(call, a, b, d, index, places, mask)
   local texts, all = {}, x:storage()
   for i = 1, #all do texts[i] = string.format('%.9g', all[i]) end
   print(ok and table.concat(texts, ' ') or 'error')
end
"""


def program(found: list[tuple[str, str, str]]) -> str:
    """The calls as a program in Lua."""
    lines = [PRELUDE, "local views, calls = {}, {}"]
    for layout, (a, b) in LAYOUTS.items():
        lines.append(f"views['{layout}'] = function(x) return {a}, {b} end")
    number: dict[str, int] = {}
    for _, _, call in found:
        if call not in number:
            number[call] = len(number) + 1
            lines.append(f"calls[{len(number)}] = function(a, b, d, index, places, mask) {call} end")
    lines += [
        f"show('{t}', '{layout}', views['{layout}'], calls[{number[call]}])" for t, layout, call in found
    ]
    # A function takes so many constants only.
    head, shows = lines[: -len(found)], lines[-len(found) :]
    parts = ["\n".join(shows[at : at + 500]) for at in range(0, len(shows), 500)]
    return "\n".join([*head, *(f"do local function part()\n{part}\nend part() end" for part in parts)]) + "\n"


if __name__ == "__main__":
    print(program(cases()), end="")
