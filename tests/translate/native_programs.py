"""Random Lua programs as people write them for Torch7: numbers, text, lists, tables by name, functions, small tensors.

Each variable keeps its kind, as in the programs that the native style is for; what is done with it goes to the edges
that Lua and Python have in different places.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

__all__ = ["program"]

INTS = "0 1 2 3 5 7 10 -1 -4 100 1000003 2147483647".split()
REALS = "0.5 2.5 -3.75 1e3 0.1 1e15 1e-7 100.25 -0.001".split()
EDGES = ["1 / 0", "-1 / 0", "2^53", "1e14", "1e300 * 1e10", "7 % 2.5", "-7 % 3", "2^0.5"]
WORDS = ["''", "'a'", "'b c'", "'10'", "'Hello World'", "'x1,y22'", "'line'", "'0x1F'"]
PATTERNS = ["'%d'", "'o'", "'%s+'"]
SEPARATORS = ["','", "' '", "'-'", "''"]
FORMATS = ["%d", "%5d", "%05.1f", "%g", "%.3f", "%s", "%e", "%x"]


class Program:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.scopes: list[dict[str, list[str]]] = [{}]
        self.count = 0
        self.depth = 0
        self.fixed: set[str] = set()  # variables of loops, which are not assigned
        self.functions: list[tuple[str, list[str], str]] = []

    # Small things

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def known(self, kind: str) -> list[str]:
        return [name for scope in self.scopes for name in scope.get(kind, [])]

    def declare(self, kind: str, shadow: bool = True) -> str:
        if shadow and self.chance(0.2) and self.known(kind):
            name = self.random.choice(self.known(kind))
            if name not in self.fixed:
                self.scopes[-1].setdefault(kind, []).append(name)
                return name
        self.count += 1
        name = f"{kind[0]}{self.count}"
        self.scopes[-1].setdefault(kind, []).append(name)
        return name

    def variable(self, kind: str) -> str | None:
        found = self.known(kind)
        return self.random.choice(found) if found else None

    # Expressions

    def whole(self, depth: int = 0) -> str:
        """A whole number of moderate size."""
        forms: list[Callable[[], str]] = [lambda: self.random.choice(INTS)]
        name = self.variable("int")
        if name is not None:
            forms += [lambda: str(name)] * 3
        if depth < 3:
            forms += [
                lambda: f"({self.whole(depth + 1)} {self.pick('+', '-')} {self.whole(depth + 1)})",
                lambda: f"({self.whole(depth + 1)} * {self.pick('2', '3', '5', '0')} + 1)",
                lambda: f"({self.whole(depth + 1)} % {self.pick('3', '7', '10')})",
                lambda: f"math.floor({self.whole(depth + 1)} / {self.pick('2', '3', '4')})",
                lambda: f"math.{self.pick('max', 'min')}({self.whole(depth + 1)}, {self.whole(depth + 1)})",
                lambda: f"#{self.text(depth + 1)}",
                lambda: f"({self.truth(depth + 1)} and {self.whole(depth + 1)} or {self.whole(depth + 1)})",
            ]
            numbers, texts, vector = self.variable("list"), self.variable("texts"), self.variable("vector")
            if numbers is not None:
                forms += [
                    lambda: f"#{numbers}",
                    lambda: f"({numbers}[{self.whole(depth + 1)}] or {self.whole(depth + 1)})",
                ]
            if texts is not None:
                forms.append(lambda: f"#{texts}")
            if vector is not None:
                forms.append(lambda: f"{vector}:size(1)")
            called = self.call("int", depth)
            if called is not None:
                forms.append(called)
        return self.random.choice(forms)()

    def real(self, depth: int = 0) -> str:
        forms: list[Callable[[], str]] = [
            lambda: self.random.choice(REALS),
            lambda: f"({self.random.choice(EDGES)})",
        ]
        name = self.variable("real")
        if name is not None:
            forms += [lambda: str(name)] * 3
        if depth < 3:
            forms += [
                lambda: f"({self.number(depth + 1)} {self.pick('+', '-')} {self.number(depth + 1)})",
                lambda: f"({self.number(depth + 1)} * {self.real(depth + 1)})",
                lambda: f"({self.number(depth + 1)} / {self.number(depth + 1)})",
                lambda: f"({self.number(depth + 1)} / {self.pick('2', '4', '0.5')})",
                lambda: f"({self.number(depth + 1)} % {self.number(depth + 1)})",
                lambda: f"({self.number(depth + 1)}) ^ {self.pick('2', '0.5', '-1', '3')}",
                lambda: f"math.{self.pick('abs', 'floor', 'ceil')}({self.number(depth + 1)})",
                lambda: f"math.sqrt(math.abs({self.real(depth + 1)}))",
                lambda: f"(0 - {self.number(depth + 1)})",
                lambda: f"(tonumber({self.text(depth + 1)}) or {self.real(depth + 1)})",
            ]
            record, vector = self.variable("record"), self.variable("vector")
            if record is not None:
                forms += [lambda: f"{record}.value"] * 2
            if vector is not None:
                forms += [
                    lambda: f"{vector}:{self.pick('sum', 'mean', 'max', 'min', 'norm')}()",
                    lambda: f"{vector}[{self.pick('1', '2', '3')}]",
                ]
            called = self.call("real", depth)
            if called is not None:
                forms.append(called)
        return self.random.choice(forms)()

    def number(self, depth: int = 0) -> str:
        return self.whole(depth) if self.chance(0.6) else self.real(depth)

    def text(self, depth: int = 0) -> str:
        forms: list[Callable[[], str]] = [lambda: f"({self.random.choice(WORDS)})"]
        name = self.variable("str")
        if name is not None:
            forms += [lambda: str(name)] * 3
        if depth < 3:
            one = lambda: self.text(depth + 1)  # noqa: E731
            forms += [
                lambda: f"({one()} .. {one()})",
                lambda: f"({one()} .. {self.whole(depth + 1)})",
                lambda: f"({one()} .. ({self.real(depth + 1)}))",
                lambda: f"tostring({self.pick(self.number(depth + 1), self.truth(depth + 1))})",
                lambda: f"{one()}:sub({self.place()}, {self.place()})",
                lambda: f"{one()}:sub({self.place()})",
                lambda: f"{one()}:{self.pick('upper', 'lower', 'reverse')}()",
                lambda: f"{one()}:rep({self.pick('0', '1', '2', '-1')})",
                lambda: f"string.format('{self.random.choice(FORMATS)}', {self.pick(*INTS)})",
                lambda: f"(({one()}):gsub({self.pick(*PATTERNS)}, {self.pick(repr('_'), repr('<%0>'))}))",
                lambda: f"({self.truth(depth + 1)} and {one()} or {one()})",
                lambda: f"({one()}:match({self.pick(repr('%d+'), repr('%a'), repr('^(%a)'))}) or {one()})",
            ]
            texts, record, numbers = self.variable("texts"), self.variable("record"), self.variable("list")
            if texts is not None:
                forms.append(lambda: f"table.concat({texts}, {self.random.choice(SEPARATORS)})")
            if numbers is not None:
                forms.append(lambda: f"table.concat({numbers}, {self.random.choice(SEPARATORS)})")
            if record is not None:
                forms += [lambda: f"{record}.name"]
            called = self.call("str", depth)
            if called is not None:
                forms.append(called)
        return self.random.choice(forms)()

    def place(self) -> str:
        name = self.variable("int")
        return self.pick(
            "1", "2", "-1", "-2", "0", "3", "100", "-100", "2" if name is None else f"{name} % 5 - 1"
        )

    def truth(self, depth: int = 0) -> str:
        order = self.pick("==", "~=", "<", "<=", ">", ">=")
        forms: list[Callable[[], str]] = [
            lambda: f"({self.number(depth + 1)} {order} {self.number(depth + 1)})",
            lambda: self.pick("true", "false"),
        ]
        if depth < 3:
            forms += [
                lambda: f"({self.text(depth + 1)} {order} {self.text(depth + 1)})",
                lambda: f"(not {self.truth(depth + 1)})",
                lambda: f"({self.truth(depth + 1)} {self.pick('and', 'or')} {self.truth(depth + 1)})",
                lambda: (
                    f"({self.text(depth + 1)}:find({self.pick(repr('o'), repr('%d'), repr('^H'))}) ~= nil)"
                ),
            ]
            numbers, counts = self.variable("list"), self.variable("dict")
            if numbers is not None:
                forms.append(lambda: f"({numbers}[{self.whole(depth + 1)}] {self.pick('==', '~=')} nil)")
            if counts is not None:
                forms.append(lambda: f"({counts}[{self.text(depth + 1)}] == nil)")
            name = self.variable("bool")
            if name is not None:
                forms += [lambda: str(name)] * 2
        return self.random.choice(forms)()

    def of(self, kind: str, depth: int = 0) -> str:
        makers: dict[str, Callable[[int], str]] = {
            "int": self.whole,
            "real": self.real,
            "str": self.text,
            "bool": self.truth,
        }
        return makers[kind](depth)

    def call(self, kind: str, depth: int) -> Callable[[], str] | None:
        found = [f for f in self.functions if f[2] == kind and f[0] in self.known("function")]
        if not found or self.depth > 2:
            return None
        name, kinds, _ = self.random.choice(found)
        return lambda: f"{name}({', '.join(self.of(k, depth + 2) for k in kinds)})"

    # Statements

    def block(self, count: int) -> str:
        self.scopes.append({})
        self.depth += 1
        text = " ".join(self.statement() for _ in range(self.random.randint(1, count)))
        self.depth -= 1
        self.scopes.pop()
        return text

    def statement(self) -> str:
        simple = [
            self.local,
            self.local,
            self.local,
            self.assign,
            self.assign,
            self.show,
            self.show,
            self.fill,
        ]
        simple += [self.tables, self.tensors]
        compound = [
            self.if_,
            self.count_up,
            self.count_down,
            self.walk,
            self.while_,
            self.repeat,
            self.closures,
        ]
        compound += [self.function, self.do, self.several]
        if self.depth > 2:
            return self.random.choice(simple)()
        return self.random.choice([*simple, *simple, *compound])()

    def local(self) -> str:
        kind = self.pick("int", "int", "real", "str", "bool")
        value = self.of(kind)
        return f"local {self.declare(kind)} = {value}"

    def assign(self) -> str:
        kind = self.pick("int", "real", "str", "bool")
        names = [name for name in self.known(kind) if name not in self.fixed]
        if not names:
            return self.local()
        name = self.random.choice(names)
        if kind == "str":
            return f"{name} = ({self.text()}):sub(1, 20)"
        if kind == "int":
            return f"{name} = {self.pick(self.whole(), f'{name} + 1', f'({name} * 31 + 7) % 1009')}"
        return f"{name} = {self.of(kind)}"

    def several(self) -> str:
        kind = self.pick("int", "real")
        names = [name for name in self.known(kind) if name not in self.fixed]
        if len(set(names)) < 2:
            return self.local()
        a, b = self.random.sample(sorted(set(names)), 2)
        return self.pick(f"{a}, {b} = {b}, {a}", f"{a}, {b} = {self.of(kind)}, {a}")

    def show(self) -> str:
        values = [self.of(self.pick("int", "real", "str", "bool")) for _ in range(self.random.randint(1, 3))]
        return f"print({', '.join(values)})"

    def fill(self) -> str:
        kind = self.pick("list", "texts", "dict", "record")
        if kind == "record":
            value = f"{{name = {self.text(2)}, value = {self.real(2)}}}"
            return f"local {self.declare(kind, False)} = {value}"
        if kind == "dict":
            key, value = self.text(2), self.whole(2)
            name = self.declare(kind, False)
            return f"local {name} = {{}} {name}[{key}] = {value}"
        item = self.whole if kind == "list" else self.text
        values = ", ".join(item(2) for _ in range(self.random.randint(1, 4)))
        return f"local {self.declare(kind, False)} = {{{values}}}"

    def tables(self) -> str:
        kind = self.pick("list", "texts", "dict", "record")
        name = self.variable(kind)
        if name is None:
            return self.fill()
        if kind == "record":
            return self.pick(f"{name}.value = {self.real(1)}", f"{name}.name = ({self.text(1)}):sub(1, 9)")
        if kind == "dict":
            key = self.text(2)
            return self.pick(
                f"{name}[{key}] = ({name}[{key}] or 0) + 1",
                f"{name}[{key}] = {self.whole(2)}",
                f"print({name}[{key}])",
                f"{name}[{key}] = nil",
            )
        value = self.whole(2) if kind == "list" else self.text(2)
        return self.pick(
            f"{name}[#{name} + 1] = {value}",
            f"table.insert({name}, {value})",
            f"table.insert({name}, 1, {value})",
            f"if #{name} > 1 then table.remove({name}) end",
            f"if #{name} > 1 then table.remove({name}, 1) end",
            f"table.sort({name})",
            f"{name}[1] = {value}",
            f"print({name}[{self.whole(2)}] == nil, #{name})",
            f"print({name}[1], {name}[#{name}])",
        )

    def tensors(self) -> str:
        name = self.variable("vector")
        if name is None or self.chance(0.3):
            values = ", ".join(self.number(3) for _ in range(3))
            return f"local {self.declare('vector', False)} = torch.Tensor{{{values}}}"
        other = self.variable("vector")
        if self.chance(0.3):
            value = self.pick(f"{name}:clone()", f"{name}", f"{name} * 2 + {other}")
            new = self.declare("vector", False)
            return f"local {new} = {value}"
        return self.pick(
            f"{name}:add({self.real(2)})",
            f"{name}:mul({self.pick('2', '0.5', '-1')})",
            f"{name}:cmul({other})",
            f"{name}[{self.pick('1', '2', '3')}] = {self.number(2)}",
            f"{name}:narrow(1, 2, 2):fill({self.whole(2)})",
            f"{name}:copy({other})",
            f"print({name}:gt({self.number(2)}):sum(), {name}[2])",
            f"{name}[{name}:lt(0)] = 0",
        )

    def if_(self) -> str:
        otherwise = f" else {self.block(2)}" if self.chance(0.5) else ""
        return f"if {self.truth()} then {self.block(3)}{otherwise} end"

    def loop(self, head: str, kind: str, name: str) -> str:
        self.scopes.append({kind: [name]})
        self.fixed.add(name)
        body = self.block(3)
        self.scopes.pop()
        return f"{head} do {body} end"

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def count_up(self) -> str:
        name = self.fresh("i")
        if self.chance(0.2):
            return self.loop(f"for {name} = 0, 1, {self.pick('0.25', '0.5')}", "real", name)
        return self.loop(
            f"for {name} = {self.pick('1', '1', '0', '-1')}, {self.pick('2', '3', '5 / 2', '0')}", "int", name
        )

    def count_down(self) -> str:
        name = self.fresh("i")
        return self.loop(
            f"for {name} = 3, {self.pick('1', '-1', '1.5')}, {self.pick('-1', '-2')}", "int", name
        )

    def walk(self) -> str:
        kind = self.pick("list", "texts", "dict")
        table = self.variable(kind)
        if table is None:
            return self.fill()
        key, value = self.fresh("k"), self.fresh("v")
        inner = "str" if kind == "texts" else "int"
        of_key = "str" if kind == "dict" else "int"
        way = "pairs" if kind == "dict" else self.pick("ipairs", "pairs")
        self.fixed |= {key, value}
        self.scopes.append({})
        self.scopes[-1].setdefault(of_key, []).append(key)
        self.scopes[-1].setdefault(inner, []).append(value)
        text = f"print({key}, {value})" if self.chance(0.6) else self.show()
        self.scopes.pop()
        return f"for {key}, {value} in {way}({table}) do {text} end"

    def while_(self) -> str:
        name = self.fresh("n")
        self.fixed.add(name)
        self.scopes[-1].setdefault("int", []).append(name)
        leave = f" if {self.truth()} then break end" if self.chance(0.4) else ""
        return f"local {name} = 0 while {name} < 3 do {name} = {name} + 1 {self.block(2)}{leave} end"

    def repeat(self) -> str:
        name, done = self.fresh("n"), self.fresh("b")
        self.fixed |= {name, done}
        return f"local {name} = 0 repeat {name} = {name} + 1 {self.block(2)} local {done} = {name} >= 2 until {done}"

    def do(self) -> str:
        return f"do {self.block(3)} end"

    def closures(self) -> str:
        fs, i = self.fresh("fs"), self.fresh("i")
        inner = self.pick(f"return {i} * 10", f"return {i} + 0.5")
        outer = self.variable("int")
        more = ""
        if outer is not None and outer not in self.fixed and self.chance(0.4):
            more = f"{outer} = {outer} + {i} "
        return (
            f"local {fs} = {{}} for {i} = 1, 3 do {fs}[#{fs} + 1] = function() {more}{inner} end end "
            f"print({fs}[1](), {fs}[3]())"
        )

    def function(self) -> str:
        name, result = self.fresh("f"), self.pick("int", "real", "str")
        kinds = [self.pick("int", "real", "str") for _ in range(self.random.randint(1, 2))]
        parameters = [self.fresh("p") for _ in kinds]
        scopes, self.scopes = self.scopes, [*self.scopes, {}]
        for kind, parameter in zip(kinds, parameters, strict=True):
            self.scopes[-1].setdefault(kind, []).append(parameter)
        before, self.functions = self.functions, []  # no calls of others: they may call back
        body = self.block(2)
        early = f"if {self.truth(2)} then return {self.of(result, 2)} end " if self.chance(0.4) else ""
        text = f"local function {name}({', '.join(parameters)}) {body} {early}return {self.of(result, 1)} end"
        self.scopes, self.functions = scopes, before
        self.scopes[-1].setdefault("function", []).append(name)
        self.functions.append((name, kinds, result))
        return text + f" print({name}({', '.join(self.of(kind, 2) for kind in kinds)}))"


def program(random: Random, statements: int = 12) -> str:
    made = Program(random)
    return "\n".join(made.statement() for _ in range(statements)) + "\n"
