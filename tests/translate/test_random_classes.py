"""Random programs of classes: torch.class and metatables, derived classes, overridden methods, fields, metamethods."""

from __future__ import annotations

from random import Random

import pytest

from tests.translate.running import assert_same

FIELDS = {
    "count": ("{n}", "{n} + 0.5"),
    "label": ("'label'", "'l' .. {n}"),
    "items": ("{{}}", "{{{n}, 2}}"),
    "map": ("{{a = {n}, b = 1}}", "{{a = {n}}}"),
    "vector": ("torch.ones({n})", "torch.range(1, 3)"),
    "flag": ("false", "true"),
}
# What is done with a field of self, and what a method gives.
BODIES = {
    "count": (
        "self.count = self.count + {n}",
        "if self.count > 3 then return self.count end",
        "self.count = x or {n}",
    ),
    "label": (
        "self.label = self.label .. {n}",
        "return self.label .. tostring(x)",
        "if #self.label > 6 then return 'long' end",
    ),
    "items": (
        "table.insert(self.items, {n})",
        "self.items[#self.items + 1] = {n}",
        "return #self.items",
        "for i, v in ipairs(self.items) do self.total = (self.total or 0) + v * i end",
    ),
    "map": (
        "self.map['k' .. {n}] = {n}",
        "self.map[{n}] = true",
        "return self.map.a",
        "local n = 0 for k in pairs(self.map) do n = n + 1 end return n",
    ),
    "vector": (
        "self.vector:add({n})",
        "return self.vector:sum()",
        "self.vector = self.vector * 2",
        "self.vector[1] = {n}",
    ),
    "flag": (
        "self.flag = not self.flag",
        "return self.flag and 'on' or 'off'",
        "if not self.flag then return nil end",
    ),
}
METHODS = ("step", "value", "update", "describe")
HEAD = """local function show(...)
   local texts = {}
   for i = 1, select('#', ...) do
      local v = select(i, ...)
      if torch.isTensor(v) then texts[i] = 'tensor ' .. v:sum()
      elseif type(v) == 'table' then texts[i] = 'table'
      elseif type(v) == 'function' then texts[i] = 'function'
      else texts[i] = tostring(v) end
   end
   print(table.concat(texts, ' '))
end
"""


class Program:
    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.seed = seed
        self.lines: list[str] = []
        self.bases: dict[str, str | None] = {}
        self.methods: dict[str, set[str]] = {}
        self.fields: dict[str, set[str]] = {}
        self.by_metatable = self.draw.random() < 0.5

    def n(self, text: str) -> str:
        return text.format(n=self.draw.randint(1, 3))

    def new_class(self, name: str, base: str | None) -> None:
        draw, lines = self.draw, self.lines
        self.bases[name] = base
        self.fields[name] = set(draw.sample(list(FIELDS), draw.randint(1, 3)))
        start = "new" if self.by_metatable else "__init"
        if self.by_metatable:
            lines.append(f"local {name} = " + (f"setmetatable({{}}, {{__index = {base}}})" if base else "{}"))
            lines.append(f"{name}.__index = {name}")
            first = f"{base}.new(x)" if base else "{}"
            lines.append(f"function {name}.new(x)")
            lines.append(f"   local self = setmetatable({first}, {name})")
        else:
            full = f"{name}{self.seed}"
            parent = f", '{base}{self.seed}'" if base else ""
            lines.append(f"local {name}, {name}_parent = torch.class('{full}'{parent})")
            lines.append(f"function {name}:{start}(x)")
            if base:
                lines.append(draw.choice((f"   {name}_parent.__init(self, x)", f"   {base}.__init(self, x)")))
        for field in sorted(self.fields[name]):
            lines.append(f"   self.{field} = {self.n(draw.choice(FIELDS[field]))}")
        if self.by_metatable:
            lines.append("   return self")
        lines.append("end")
        if base:
            self.fields[name] |= self.fields[base]
        own = draw.sample(METHODS, draw.randint(1, 3))
        self.methods[name] = set(own) | (self.methods[base] if base else set())
        for method in own:
            self.new_method(name, method, base)
        if draw.random() < 0.3:
            lines.append(f"{name}.shared = {draw.randint(1, 3)}")
            lines.append(f"function {name}:share() {name}.shared = {name}.shared + 1 return self.shared end")
            self.methods[name] = self.methods[name] | {"share"}
        if draw.random() < 0.3 and not self.by_metatable:
            told = min(self.fields[name] & {"count", "label", "flag"}, default="none")
            lines.append(f"function {name}:__tostring() return '{name} of ' .. tostring(self.{told}) end")

    def new_method(self, name: str, method: str, base: str | None) -> None:
        draw, lines = self.draw, self.lines
        lines.append(f"function {name}:{method}(x)")
        if base and method in self.methods[base] and draw.random() < 0.6:
            over = base if self.by_metatable or draw.random() < 0.5 else f"{name}_parent"
            lines.append(f"   local before = {over}.{method}(self, x)")
            lines.append("   show('before', before)")
        bodies = [
            self.n(draw.choice(BODIES[draw.choice(sorted(self.fields[name]))]))
            for _ in range(draw.randint(1, 3))
        ]
        for body in bodies:
            lines.append(
                "   " + (f"do {body} end" if body.startswith("return") or " return " in body else body)
            )
        lines.append(
            draw.choice(
                (
                    "   return self",
                    "   return x",
                    f"   return self.{draw.choice(sorted(self.fields[name]))}",
                    "",
                )
            )
        )
        lines.append("end")

    def text(self) -> str:
        draw, lines = self.draw, self.lines
        names = ["Alpha", "Beta", "Gamma"][: draw.randint(1, 3)]
        for place, name in enumerate(names):
            self.new_class(name, draw.choice([None, *names[:place]]) if place else None)
        objects: dict[str, str] = {}
        for number in range(draw.randint(2, 4)):
            name = draw.choice(names)
            objects[f"o{number}"] = name
            made = f"{name}.new({number})" if self.by_metatable else f"{name}{self.seed}({number})"
            lines.append(f"local o{number} = {made}")
        for _ in range(draw.randint(4, 9)):
            one = draw.choice(list(objects))
            methods = sorted(self.methods[objects[one]])
            fields = sorted(self.fields[objects[one]])
            every, common = ", ".join(objects), draw.choice(("label", "count", "flag"))
            called = f"do local ok, v = pcall(function() return {one}:{draw.choice(methods)}(3) end)"
            called += " show(ok, ok and v) end"
            forms = (
                f"show({one}:{draw.choice(methods)}({draw.choice(('', '1', chr(39) + 'x' + chr(39)))}))",
                f"{one}.count = {draw.randint(1, 9)} show({one}.count)",
                f"show({one}.{draw.choice(fields)})",
                f"show({one}.missing == nil, {one}.{draw.choice(METHODS)} ~= nil)",
                f"{one}.extra = {draw.randint(1, 9)} show({one}.extra)",
                f"for _, o in ipairs({{{every}}}) do show(o.{common}) end",
                f"do local f = {one}.{draw.choice(methods)} show(type(f)) end",
                f"show(torch.type({one}) == '{objects[one]}{self.seed}')",
                f"do local all = {{a = {one}}} for k, o in pairs(all) do show(k, o:{draw.choice(methods)}(2)) end end",
                f"show((pcall(function() return {one}:{draw.choice(METHODS)}(3) end)))",
                called,
            )
            lines.append(draw.choice(forms))
        return HEAD + "\n".join(lines) + "\n"


def program(seed: int) -> str:
    return Program(seed).text()


@pytest.mark.parametrize("seed", range(8))
def test_same_output(seed: int) -> None:
    assert_same(program(seed), refused=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8, 1000))
def test_same_output_at_length(seed: int) -> None:
    assert_same(program(seed), refused=True)
