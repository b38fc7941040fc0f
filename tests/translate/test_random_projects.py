"""Random projects of several files: modules that give tables, functions, classes or nothing, and share state."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

NAMES = ("util", "lib/data", "lib/net", "model", "settings")


class Project:
    """``files``: the source of each by its path. A file may use those made before it."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.seed = seed
        self.files: dict[str, str] = {}
        self.uses: dict[
            str, list[str]
        ] = {}  # statements that can stand where a file has been required as `{m}`
        self.loaded: dict[str, bool] = {}  # whether a file was loaded by dofile, which runs it each time
        names = self.draw.sample(NAMES, self.draw.randint(2, 4))
        for place, name in enumerate(names):
            kind = self.draw.choice(("table", "table", "function", "class", "globals", "metatable", "data"))
            open_ones = [other for other in names[:place] if not self.loaded.get(other)]
            before = self.draw.sample(open_ones, self.draw.randint(0, min(len(open_ones), 2)))
            self.files[f"{name}.lua"] = self.file(name, kind, before)
        self.files["main.lua"] = self.main(names)

    def n(self) -> int:
        return self.draw.randint(1, 4)

    def required(self, name: str) -> tuple[str, str]:
        """The statement that requires a file, and the variable that has what it gives."""
        variable = name.rpartition("/")[2]
        path = name.replace("/", ".") if self.seed % 2 else name  # by two names it would be run twice
        calls = (f"require '{path}'", f"require('{path}')", f"dofile('{name}.lua')")
        call = self.draw.choice(calls[:2] if name in self.loaded else calls)
        self.loaded[name] = call.startswith("dofile")
        gives_nothing = self.files[f"{name}.lua"].startswith("-- nothing")
        return call if gives_nothing else f"local {variable} = {call}", variable

    def used(self, name: str, variable: str) -> str:
        return self.draw.choice(self.uses[name]).format(m=variable, n=self.n())

    def file(self, name: str, kind: str, before: list[str]) -> str:
        draw, lines, inner = self.draw, [], []
        short = name.rpartition("/")[2]
        for other in before:
            statement, variable = self.required(other)
            lines.append(statement)
            inner.append((other, variable))
        step = "   " + (
            self.used(*draw.choice(inner)) if inner and draw.random() < 0.6 else f"calls = calls + {self.n()}"
        )
        lines.append(f"local calls = {self.n()}")
        if kind in ("table", "globals"):
            owner = f"{short}_all" if kind == "globals" else "M"
            lines += [f"{'' if kind == 'globals' else 'local '}{owner} = {{}}", f"{owner}.size = {self.n()}"]
            lines += [
                f"function {owner}.count(x)",
                step,
                "   calls = calls + 1",
                f"   return calls + (x or {self.n()})",
                "end",
            ]
            lines += [
                f"function {owner}:grow(by)",
                "   self.size = self.size + by",
                "   return self.size, calls",
                "end",
            ]
            lines += [f"local function hidden(t) return #t * {owner}.size end"]
            lines += [f"{owner}.measure = function(t) return hidden(t) end"]
            lines += [
                f"{owner}.layers = function(n) return nn.Sequential():add(nn.Linear(n, 2)):add(nn.Tanh()) end"
            ]
            use = "{m}" if kind == "table" else owner
            self.uses[name] = [
                f"print({use}.count({{n}}), {use}.size)",
                f"print({use}:grow({{n}}))",
                f"print({use}.measure({{{{1, 2, {{n}}}}}}))",
                f"{use}.size = {{n}} print({use}.count())",
                f"do local net = {use}.layers(3) print(net:forward(torch.ones(3)):sum()) end",
                f"do local count = {use}.count print(count(1), count(2)) end",
                f"{use}.extra = {{n}} print({use}.extra, {use}.missing)",
            ]
            if kind == "table":
                return "\n".join([*lines, "return M"]) + "\n"
            return "\n".join(["-- nothing is given", *lines]) + "\n"
        if kind == "function":
            lines += [
                f"local function {short}(a, b)",
                step,
                "   calls = calls + 1",
                "   if b then return a + b, calls end",
                "   return a * 2",
                "end",
            ]
            self.uses[name] = [
                "print({m}({n}))",
                "print({m}({n}, 3))",
                "do local x, y = {m}(1, {n}) print(y, x) end",
            ]
            return "\n".join([*lines, draw.choice((f"return {short}", "return " + short))]) + "\n"
        if kind in ("class", "metatable"):
            full = f"{short.capitalize()}{self.seed}"
            if kind == "class":
                lines += [f"local C = torch.class('{full}')", "function C:__init(n)"]
                made = f"{full}({{n}})"
            else:
                lines += [
                    "local C = {}",
                    "C.__index = C",
                    "function C.new(n)",
                    "   local self = setmetatable({}, C)",
                ]
                made = "{m}.new({n})"
            lines += ["   self.n = n", "   self.list = {n}", "   calls = calls + 1"]
            lines += ["end"] if kind == "class" else ["   return self", "end"]
            lines += [
                "function C:push(x)",
                step,
                "   self.list[#self.list + 1] = x",
                "   return #self.list",
                "end",
            ]
            lines += [
                "function C:total()",
                "   local sum = 0",
                "   for _, v in ipairs(self.list) do sum = sum + v end",
                "   return sum + calls",
                "end",
            ]
            self.uses[name] = [
                f"do local o = {made} print(o:push(2), o:total()) end",
                f"print({made}:total())",
                f"do local o = {made} o.n = {{n}} + 1 print(o.n, #o.list) end",
            ]
            return "\n".join([*lines, "return C"]) + "\n"
        fields = [
            "rate = 0.5",
            f"epochs = {self.n()}",
            "names = {'a', 'b'}",
            "deep = {x = {y = 3}}",
            "on = true",
        ]
        lines += [f"return {{{', '.join(draw.sample(fields, 4))}, kept = calls}}"]
        self.uses[name] = [
            "print({m}.kept, {m}.rate)",
            "for k, v in pairs({m}) do if type(v) == 'number' then print(k, v) end end",
            "{m}.kept = {m}.kept + {n} print({m}.kept)",
            "if {m}.on then print('on') end",
            "print({m}.names and #{m}.names, {m}.epochs)",
        ]
        return "\n".join(lines) + "\n"

    def main(self, names: list[str]) -> str:
        lines = ["require 'torch'", "require 'nn'", "torch.manualSeed(1)"]
        variables = []
        for name in names:
            if self.loaded.get(name):
                continue
            statement, variable = self.required(name)
            lines.append(statement)
            variables.append((name, variable))
        uses = (self.used(*self.draw.choice(variables)) for _ in range(self.draw.randint(4, 8)))
        lines += uses
        return "\n".join(lines) + "\n"


def compared(seed: int, folder: Path) -> None:
    project = Project(seed)
    for name, source in project.files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    page = translate_script(project.files["main.lua"].encode(), str(folder / "main.lua"))
    problems = [f"{problem.file}:{problem.line}: {problem}" for problem in page.problems]
    assert problems == [], problems
    verify_script(page, folder / "main.lua")


@pytest.mark.parametrize("seed", range(4))
def test_same_output(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # dofile is from where the program is run
    compared(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 500))
def test_same_output_at_length(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compared(seed, tmp_path)
