"""Random Lua programs over the language. What they do is defined by Lua, and they end.

Functions may call themselves and each other, twice and within pcall, which can take exponential time; so every function
and loop body counts its turns, and after some thousands of them each is an error.
"""

# ruff: noqa: E501 (a piece of Lua reads better on one line)

from __future__ import annotations

from collections.abc import Callable
from random import Random

PRELUDE = """
local out = {}
local turns = 0
local function tick()
   turns = turns + 1
   if turns > 3000 then error('too long', 0) end
end
local function log(...)
   local n, parts = select('#', ...), {}
   for i = 1, n do
      local v = (select(i, ...))
      local kind = type(v)
      if kind == 'table' or kind == 'function' then v = kind else v = tostring(v) end
      -- LuaJIT names the variable at fault, where it knows one
      parts[i] = v:gsub("%a+ '[^']*' %((a %a+ value)%)", "%1")
   end
   out[#out + 1] = table.concat(parts, ' ')
end
"""
EPILOGUE = "\nreturn table.concat(out, '\\n')\n"

NUMBERS = ["0", "1", "2", "3", "7", "-1", "0.5", "2.5", "1e3", "10", "100", "0x1F", "1e15", "-3.75"]
EDGES = [
    "1/0",
    "-1/0",
    "0/0",
    "-0",
    "0/-1",
    "2^53",
    "2^53 + 1",
    "2^31",
    "-2^31",
    "2^63",
    "1e308 * 10",
    "5e-324",
    "0.1 + 0.2",
    "1e14",
    "1e15",
    "1e16",
    "123456789012345",
    "3 % -2",
    "-3 % 2",
    "5.5 % -2",
    "-6 % 3",
    "7 % (1/0)",
    "-7 % (1/0)",
    "1e300 % 7",
    "0x7fffffff",
    "0xffffffff",
    "100 / 3",
    "2^0.5",
    "(-8)^(1/3)",
    "0^0",
    "1e-7",
    "123456.789e3",
    ".5",
    "3.",
]
FORMATS = [
    "%d",
    "%5d",
    "%-5d|",
    "%05d",
    "%+d",
    "% d",
    "%i",
    "%u",
    "%x",
    "%X",
    "%#x",
    "%o",
    "%e",
    "%.3e",
    "%E",
    "%f",
    "%.0f",
    "%10.4f",
    "%-12.3f|",
    "%g",
    "%.3g",
    "%G",
    "%.14g",
    "%.17g",
    "%s",
    "%10s",
    "%-10s|",
    "%.2s",
    "%q",
    "%c",
    "%%",
    "%5.1f%%",
    "%a",
]
STRINGS = [
    '"a"',
    "'b c'",
    '"10"',
    '"0x10"',
    '"hello world"',
    "''",
    '"x1y2"',
    '"line\\nend"',
    '"\\0\\200"',
    "[[long]]",
]
PATTERNS = [
    '"%a+"',
    '"(%w)(%w)"',
    '"[^o]+"',
    '"o"',
    '"%d"',
    '"()l"',
    '"^h"',
    '"d$"',
    '"l-o"',
    '"%s*"',
    '"[a-f%d]"',
]
NAMES = [
    "a",
    "b",
    "c",
    "t",
    "f",
    "x",
    "i",
    "s",
    "n",
    "it",
    "lua",
    "G",
    "class",
    "def",
    "print_",
    "None",
    "lambda",
]


class Program:
    """Writes one program. ``depth`` limits nesting, ``budget`` the number of statements."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.scopes: list[list[str]] = [[]]
        self.budget = 40
        self.loops = 0
        self.labels = 0
        self.varargs = [True]

    # Small things

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def name(self) -> str:
        """A variable, most often a local one in scope."""
        visible = [name for scope in self.scopes for name in scope]
        if visible and self.chance(0.85):
            return self.random.choice(visible)
        return self.pick("g1", "g2", "undefined")

    def declare(self) -> str:
        name = self.random.choice(NAMES)
        self.scopes[-1].append(name)
        return name

    # Expressions

    def expression(self, depth: int = 0) -> str:
        leaf = depth > 3 or self.chance(0.3)
        if leaf:
            return self.pick(
                self.random.choice(NUMBERS),
                self.random.choice(STRINGS),
                self.name(),
                self.name(),
                self.name(),
                "nil",
                "true",
                "false",
                "..." if self.varargs[-1] else "nil",
            )
        makers = [
            self.arithmetic,
            self.arithmetic,
            self.comparison,
            self.logic,
            self.logic,
            self.table,
            self.index,
            self.call,
            self.call,
            self.library,
            self.library,
            self.function,
            self.unary,
            self.concatenation,
        ]
        return self.random.choice(makers)(depth + 1)

    def risky(self, depth: int = 0) -> str:
        """A value in a statement: now and then one whose computing may fail."""
        return self.expression(depth) if self.chance(0.1) else self.safe(depth)

    def safe(self, depth: int = 0) -> str:
        """An expression that cannot fail."""
        form = self.random.randint(0, 9 if depth < 3 else 2)
        if form <= 2:
            return self.pick(
                self.random.choice(NUMBERS), self.random.choice(STRINGS), self.name(), self.name(), "nil", "true", "..." if self.varargs[-1] else "{}"
            )  # fmt: skip
        inner = [self.safe(depth + 1) for _ in range(2)]
        left, right = [text if text.isidentifier() else f"({text})" for text in inner]
        if form == 3:
            return f"{left} {self.pick('==', '~=')} {right}"
        if form in (4, 5):
            return f"{left} {self.pick('and', 'or')} {right}"
        if form == 6:
            return f"not {left}"
        if form == 7:
            numbers = [self.random.choice(NUMBERS) for _ in range(3)]
            return f"({numbers[0]} {self.pick(*'+-*/%^')} {numbers[1]}) {self.pick(*'+-*/%^')} {numbers[2]}"
        if form == 8:
            return self.function(depth + 1)
        return f"{{{self.pick('', 'x = ', '[2] = ')}{right}, {self.pick('1', 'a = true', repr('e'))}}}"

    def single(self, depth: int) -> str:
        text = self.expression(depth)
        return f"({text})" if not text.isidentifier() else text

    def arithmetic(self, depth: int) -> str:
        operator = self.pick("+", "-", "*", "/", "%", "^")
        return f"{self.single(depth)} {operator} {self.single(depth)}"

    def comparison(self, depth: int) -> str:
        operator = self.pick("==", "~=", "<", "<=", ">", ">=")
        return f"{self.single(depth)} {operator} {self.single(depth)}"

    def logic(self, depth: int) -> str:
        return f"{self.single(depth)} {self.pick('and', 'or')} {self.single(depth)}"

    def concatenation(self, depth: int) -> str:
        return f"{self.single(depth)} .. {self.single(depth)}"

    def unary(self, depth: int) -> str:
        return f"{self.pick('not ', '-', '#')}{self.single(depth)}"

    def table(self, depth: int) -> str:
        parts = []
        for _ in range(self.random.randint(0, 3)):
            form = self.random.randint(0, 3)
            if form == 0:
                parts.append(f"{self.pick('a', 'b', 'x', 'name')} = {self.expression(depth)}")
            elif form == 1:
                parts.append(
                    f"[{self.pick('1', '2', '5', 'true', repr('k'), '-1', '0.5')}] = {self.expression(depth)}"
                )
            else:
                # no nil in the middle: then the length is defined
                parts.append(self.pick(self.random.choice(NUMBERS), self.random.choice(STRINGS), "true"))
        return "{" + ", ".join(parts) + "}"

    def index(self, depth: int) -> str:
        base = self.name()
        if self.chance(0.5):
            return f"{base}.{self.pick('a', 'b', 'x', 'name')}"
        return f"{base}[{self.expression(depth)}]"

    def arguments(self, depth: int) -> str:
        return ", ".join(self.expression(depth) for _ in range(self.random.randint(0, 3)))

    def call(self, depth: int) -> str:
        if self.chance(0.2):
            return f"{self.name()}:{self.pick('a', 'upper', 'len', 'sub')}({self.arguments(depth)})"
        return f"{self.name()}({self.arguments(depth)})"

    def library(self, depth: int) -> str:
        one = self.single
        random = self.random
        return random.choice(
            [
                lambda: f"tostring({random.choice(NUMBERS)})",
                lambda: f"tonumber({one(depth)})",
                lambda: f"type({one(depth)})",
                lambda: f"math.floor({one(depth)})",
                lambda: f"math.max({one(depth)}, {one(depth)})",
                lambda: f"math.fmod({one(depth)}, {one(depth)})",
                lambda: f"select({self.pick('1', '2', '-1', repr('#'))}, {self.expression(depth)})",
                lambda: f"string.sub({random.choice(STRINGS)}, {random.choice(NUMBERS)}, {one(depth)})",
                lambda: f"({random.choice(STRINGS)}):find({random.choice(PATTERNS)})",
                lambda: (
                    f"({random.choice(STRINGS)}):gsub({random.choice(PATTERNS)}, {self.pick(repr('<%0>'), '{h = 1}')})"
                ),
                lambda: f"string.match({random.choice(STRINGS)}, {random.choice(PATTERNS)})",
                lambda: (
                    f"string.format({self.pick(repr('%5.2f'), repr('%d'), repr('%x'), repr('%q'), repr('%s'))}, {one(depth)})"
                ),
                lambda: f"string.rep({random.choice(STRINGS)}, {self.pick('0', '2', '-1')})",
                lambda: f"string.byte({random.choice(STRINGS)}, 1, {self.pick('1', '3', '-1')})",
                lambda: f"unpack({self.table(depth)})",
                lambda: f"pcall({self.name()}, {self.expression(depth)})",
                lambda: f"rawget({self.name()}, {self.expression(depth)})",
                lambda: f"table.concat({{1, 'b', {random.choice(NUMBERS)}}}, {self.pick(repr(','), 'nil')})",
                lambda: f"next({{{self.pick('', '5')}}})",
                lambda: f"tostring({random.choice(EDGES)})",
                lambda: f"({random.choice(EDGES)}) .. ''",
                lambda: (
                    f"math.{self.pick('floor', 'ceil', 'abs', 'sqrt', 'exp', 'log', 'sin', 'modf', 'frexp')}({random.choice(EDGES)})"
                ),
                lambda: (
                    f"math.{self.pick('max', 'min', 'fmod', 'pow', 'atan2', 'ldexp')}({random.choice(EDGES)}, {random.choice(EDGES)})"
                ),
                lambda: (
                    f"string.format('{random.choice(FORMATS)}', {self.pick(random.choice(EDGES), random.choice(NUMBERS), random.choice(STRINGS))})"
                ),
                lambda: (
                    f"string.format('{random.choice(FORMATS)} {random.choice(FORMATS)}', {random.choice(NUMBERS)}, {random.choice(EDGES)})"
                ),
                lambda: (
                    f"tonumber({self.pick(repr('0x1p4'), repr('1e'), repr(' 12 '), repr('1 2'), repr('0x'), repr('.5'), repr('5.'), repr('inf'), repr('nan'), repr('1e1000'), repr(''))})"
                ),
                lambda: (
                    f"tonumber({self.pick(repr('ff'), repr('zz'), repr('101'), repr('-7'), repr('8'), '10')}, {self.pick('2', '8', '16', '36')})"
                ),
                lambda: f"string.{self.pick('upper', 'lower', 'len', 'reverse')}({random.choice(STRINGS)})",
                lambda: (
                    f"string.gsub({random.choice(STRINGS)}, {random.choice(PATTERNS)}, {self.pick('string.upper', repr('%1%1'), repr('%%'), repr('x'), '{a = false, b = 1}', 'function(c, d) return d end')}, {self.pick('1', '2', 'nil')})"
                ),
                lambda: (
                    f"string.find({random.choice(STRINGS)}, {random.choice(STRINGS)}, {self.pick('1', '2', '-2', '0', '100')}, {self.pick('true', 'false')})"
                ),
                lambda: (
                    f"string.sub({random.choice(STRINGS)}, {self.pick('-3', '0', '2', '1e9', '-1e9')}, {self.pick('-1', '2', '0', '1.7')})"
                ),
                lambda: f"string.char({self.pick('65, 66', '0', '255', '256', '')})",
                lambda: f"select({self.pick('-1', '-2', '2', '0', '5')}, 1, {self.expression(depth)}, 'z')",
                lambda: f"#{random.choice(STRINGS)}",
                lambda: (
                    f"{random.choice(STRINGS)} {self.pick('<', '<=', '>', '>=')} {random.choice(STRINGS)}"
                ),
                lambda: f"({random.choice(STRINGS)}) + {random.choice(NUMBERS)}",
                lambda: (
                    f"bit.{self.pick('band', 'bor', 'bxor', 'lshift', 'rshift', 'arshift')}({random.choice(NUMBERS)}, {self.pick('1', '3', '31', '33', '-1')})"
                ),
            ]
        )()

    def function(self, depth: int) -> str:
        return "function" + self.function_rest(depth)

    def function_rest(self, depth: int, method: bool = False) -> str:
        self.scopes.append(["self"] if method else [])
        names = [self.declare() for _ in range(self.random.randint(0, 2))]
        vararg = self.chance(0.3)
        self.varargs.append(vararg)
        loops, self.loops = self.loops, 0
        body = self.body(2 if depth < 3 else 1, depth)
        self.loops = loops
        self.varargs.pop()
        self.scopes.pop()
        parameters = list(dict.fromkeys(names)) + (["..."] if vararg else [])
        returned = ""
        if self.chance(0.6):
            returned = f" return {self.arguments_of(parameters, depth)}"
        return f"({', '.join(parameters)}) tick() {body}{returned} end"

    def arguments_of(self, parameters: list[str], depth: int) -> str:
        values = [p for p in parameters if p != "..."] + (["..."] if "..." in parameters else [])
        return ", ".join(values[: self.random.randint(0, 3)]) or self.pick("1", "'r'", "nil", "")

    def inside(self, vararg: bool, maker: Callable[..., str], *arguments: int) -> str:
        """What a maker writes within another function."""
        self.varargs.append(vararg)
        text = maker(*arguments)
        self.varargs.pop()
        return text

    # Statements

    def body(self, count: int, depth: int) -> str:
        self.scopes.append([])
        text = " ".join(self.statement(depth + 1) for _ in range(self.random.randint(1, count)))
        self.scopes.pop()
        return text

    def statement(self, depth: int = 0) -> str:
        self.budget -= 1
        if self.budget < 0 or depth > 5:
            return f"log({self.risky(2)})"
        makers = [
            self.local,
            self.local,
            self.local,
            self.assignment,
            self.assignment,
            self.several,
            self.show,
            self.show,
            self.if_,
            self.numeric_for,
            self.numeric_for,
            self.generic_for,
            self.while_,
            self.repeat,
            self.do,
            self.local_function,
            self.local_function,
            self.closures,
            self.protected,
            self.protected,
            self.object,
            self.metatable,
            self.goto_loop,
            self.call_statement,
            self.coroutine,
            self.lists,
            self.varargs_,
            self.levels,
            self.order,
        ]
        return self.random.choice(makers)(depth)

    def coroutine(self, depth: int) -> str:
        """A coroutine: what it is passed, what it yields, how it ends."""
        form = self.random.randint(0, 3)
        if form == 0:
            return (
                f"do local co = coroutine.create(function(...) log('in', ...) {self.inside(True, self.body, 2, depth)} "
                f"local a, b = coroutine.yield({self.safe(2)}, 2) log('back', a, b) {self.pick('', 'error({})', 'error(7, 0)')} "
                f"return 'end', {self.safe(2)} end) "
                "for i = 1, 4 do log(coroutine.status(co), coroutine.resume(co, i, 'p')) end log(coroutine.status(co)) end"
            )
        if form == 1:
            return (
                "do local gen = coroutine.wrap(function(n) for i = 1, n do n = coroutine.yield(i * n) or n tick() end end) "
                f"log(pcall(gen, 3)) log(pcall(gen, {self.pick('nil', '2', '5')})) log(pcall(gen)) log(pcall(gen)) log(pcall(gen)) end"
            )
        if form == 2:
            return (
                "for v in coroutine.wrap(function() for i = 1, 3 do local inner = coroutine.wrap(function() "
                "coroutine.yield(i) coroutine.yield(i * 10) end) coroutine.yield(inner()) coroutine.yield(inner()) end end) do "
                f"tick() log(v) {self.pick('', 'if v == 20 then break end')} end"
            )
        return (
            f"log(coroutine.resume(coroutine.create(function() log(pcall(function() {self.inside(False, self.body, 1, depth)} "
            "coroutine.yield(1) error('x') end)) end))) log(coroutine.running() == nil, pcall(coroutine.yield, 1))"
        )

    def lists(self, depth: int) -> str:
        """What the table library does to a list."""
        values = ", ".join(
            self.pick("3", "1", "2.5", "10", "-4", "7", "0") for _ in range(self.random.randint(0, 6))
        )
        use = self.pick(
            "table.sort(q)",
            "table.sort(q, function(a, b) return a > b end)",
            "table.insert(q, 9)",
            "table.insert(q, 1, 'first')",
            "table.insert(q, 100, 'far')",
            "log(table.remove(q))",
            "log(table.remove(q, 1))",
            "log(table.remove(q, 50))",
            "q[#q + 1] = 'x'",
            "q[#q] = nil",
            "table.sort(q, function(a, b) return tostring(a) < tostring(b) end)",
            "log(unpack(q, 2, 4))",
            "log(table.concat(q, ';', 1, 2))",
            "log(table.maxn(q))",
        )
        return (
            f"do local q = {{{values}}} log(pcall(function() {use} end)) log(#q, table.concat(q, ',')) "
            "for k, v in pairs(q) do log(k, v) end end"
        )

    def varargs_(self, depth: int) -> str:
        """Functions of any number of arguments."""
        given = ", ".join(
            self.pick("1", "nil", "'s'", "false", "2.5") for _ in range(self.random.randint(0, 4))
        )
        use = self.pick(
            "return ...",
            "return (...)",
            "return select('#', ...), ...",
            "local a, b = ... return b, a",
            "return select(2, ...)",
            "local t = {...} return t[1], t[3]",
            "local t = {n = select('#', ...), ...} return t.n, t[2]",
            "return {...}, ...",
            "return f and select('#', ...) or ...",
            "for i = 1, select('#', ...) do log(i, (select(i, ...))) end",
        )
        return f"do local function v(f, ...) {use} end log(v({given})) log((v({given}))) log(v(log, {given or 'nil'}), v()) end"

    def levels(self, depth: int) -> str:
        """Errors and where they say that they are."""
        thrown = self.pick(
            "error('m')", "error('m', 0)", "error('m', 1)", "error('m', 2)", "error('m', 3)", "error({})", "error(nil)",
            "error(12)", "error(12, 2)", "assert(nil, 'm')", "assert(false)", "assert(nil, {})", "local x = nil; x()",
            "local x = {}; x.y.z = 1", "local x = 'a' + 1", "local x = {} .. 'a'", "local x = #nil", "local x = {} < {}",
            "local x = 1 < 'a'", "local x = -{}", "string.rep()", "('x'):rep({})", "setmetatable(1, {})", "ipairs(nil)",
            "string.format('%d', 'x')", "tostring()", "math.floor('x')", "for i = 1, 'x' do end", "for i = 1, 10, {} do end",
            "local t = setmetatable({}, {__index = function(t, k) error('no ' .. k, 2) end}); return t.field",
            "({})[nil] = 1", "table.concat({{}})", "string.char(-1)", "select(0)", "next({}, 'k')", "rawset(1, 2, 3)",
        )  # fmt: skip
        return (
            f"do local function low() {thrown} end local function middle() low() return 1 end "
            "log(pcall(middle)) log(pcall(low)) log(pcall(function() return low() end)) "
            "log(xpcall(middle, function(m) return type(m) == 'string' and 'H:' .. m or type(m) end)) end"
        )

    def order(self, depth: int) -> str:
        """In which order things are computed."""
        use = self.pick(
            "t[say(1)] = say(2)",
            "t[say(1)], t[say(2)] = say(3), say(4)",
            "log(say(1) + say(2) * say(3))",
            "log(say(1) .. say(2) .. say(3))",
            "log(say(nil) and say(2) or say(3))",
            "log({say(1), k = say(2), [say(3)] = say(4)} ~= nil)",
            "log(say(1) < say(2), say(3) == say(3))",
            "log(say(say(1)))",
            "t.f = function(s, ...) return ... end log(t:f(say(1), say(2)))",
            "for i = say(1), say(3), say(1) do log(i) end",
            "local a, b, c = say(1), (say(2)) log(a, b, c)",
            "return say(5)",
        )
        return f"do local t = {{}} local function say(x) log('say', x) return x end log(pcall(function() {use} end)) end"

    def local(self, depth: int) -> str:
        if self.chance(0.2):
            values = ", ".join(self.risky(depth) for _ in range(self.random.randint(0, 3)))
            names = ", ".join(dict.fromkeys(self.declare() for _ in range(self.random.randint(1, 3))))
            return f"local {names}{' = ' + values if values else ''};"
        value = self.risky(depth)
        return f"local {self.declare()} = {value};"

    def assignment(self, depth: int) -> str:
        if self.chance(0.3):
            return f"pcall(function() {self.name()}.{self.pick('a', 'b')} = {self.inside(False, self.expression, depth)} end);"
        return f"{self.name()} = {self.risky(depth)};"

    def several(self, depth: int) -> str:
        first, second = self.name(), self.name()
        form = self.random.randint(0, 2)
        if form == 0:
            return f"{first}, {second} = {second}, {first};"
        if form == 1:
            return f"do local q = {{1, 2, 3}} local i = 1 i, q[i] = i + 1, {self.safe(depth)} log(i, q[1], q[2]) end"
        return f"do local q = {{5, 6}} q[1], q[2], {first} = q[2], q[1] log(q[1], q[2], {first}) end"

    def show(self, depth: int) -> str:
        return f"log(pcall(function(...) return {self.inside(True, self.expression, depth)} end, {self.name()}));"

    def call_statement(self, depth: int) -> str:
        return f"pcall({self.name()}, {self.risky(depth)});"

    def if_(self, depth: int) -> str:
        text = f"if {self.risky(2)} then {self.body(2, depth)}"
        while self.chance(0.4):
            text += f" elseif {self.risky(2)} then {self.body(2, depth)}"
        if self.chance(0.5):
            text += f" else {self.body(2, depth)}"
        return text + " end"

    def loop_body(self, names: list[str], depth: int) -> str:
        self.scopes.append(names)
        self.loops += 1
        text = "tick() " + self.body(3, depth)
        if self.chance(0.3):
            text += f" if {self.risky(3)} then break end"
        self.loops -= 1
        self.scopes.pop()
        return text

    def numeric_for(self, depth: int) -> str:
        bounds = self.pick("1, 3", "3, 1, -1", "1, 2, 0.5", "0, -1", "-1, 1", "'1', 2", "1, 0")
        name = self.random.choice(NAMES)
        return f"for {name} = {bounds} do {self.loop_body([name], depth)} end"

    def generic_for(self, depth: int) -> str:
        source = self.pick(
            "ipairs({4, 5, 'six'})", "pairs({a = 1, b = 2, 3})", "pairs({10, 20, x = 'y'})", "next, {7}",
            "string.gmatch('one two', '%a+')", "string.gmatch('k=v', '(%w)=(%w)')",
        )  # fmt: skip
        names = list(dict.fromkeys(self.random.choice(NAMES) for _ in range(self.random.randint(1, 3))))
        return f"for {', '.join(names)} in {source} do {self.loop_body(names, depth)} end"

    def while_(self, depth: int) -> str:
        return f"do local count = 0 while count < 3 do count = count + 1 {self.loop_body([], depth)} end end"

    def repeat(self, depth: int) -> str:
        self.scopes.append([])
        body = self.body(2, depth)
        self.scopes.pop()
        return f"do local count = 0 repeat count = count + 1 {body} local last = count >= 2 until last end"

    def do(self, depth: int) -> str:
        return f"do {self.body(3, depth)} end"

    def local_function(self, depth: int) -> str:
        if self.chance(0.5):
            name = self.declare()
            return f"local function {name}{self.function_rest(depth)}"
        return f"function g1{self.function_rest(depth)}"

    def closures(self, depth: int) -> str:
        """Functions that keep a loop's variables, each its own."""
        change = self.pick("v = v + 1", "k = k * 2", "outer = outer .. v", "v, k = k, v")
        loop = self.pick(
            "for k = 1, 3 do", "for k in ipairs({1, 2, 3}) do", "for _, k in ipairs({1, 2, 3}) do"
        )
        return (
            f"do local made, outer = {{}}, '' {loop} local v = k made[#made + 1] = function() {change} "
            "return k, v, outer end end for i = 1, 3 do log(made[i]()) log(made[i]()) end end"
        )

    def protected(self, depth: int) -> str:
        thrown = self.pick("error('e')", "error({})", "error('e', 0)", "error('e', 2)", "error()", "assert(false, 'm')", "assert(nil)")  # fmt: skip
        return f"log(pcall(function() {self.inside(False, self.body, 2, depth)} {thrown} end));"

    def object(self, depth: int) -> str:
        return (
            f"do local C = {{}} C.__index = C function C.new(v) return setmetatable({{v = v}}, C) end "
            f"function C:get{self.function_rest(depth, method=True)} "
            f"log(pcall(function() return C.new({self.inside(False, self.expression, 2)}):get({self.name()}) end)) end"
        )

    def metatable(self, depth: int) -> str:
        event = self.pick(
            "add", "sub", "concat", "call", "index", "unm", "lt", "le", "eq", "mul", "div", "mod", "pow"
        )
        use = self.pick("o + 1", "1 - o", "o .. 'x'", "o(2, 3)", "o.missing", "-o", "o < p", "o <= p", "o == p", "o >= p", "o * p", "o / 2", "2 % o", "o ^ 2", "o ~= p")  # fmt: skip
        return (
            f"do local m = {{__{event} = function(l, r) return {self.pick('42', 'r', 'type(l)', 'nil', 'l == r')} end}} "
            f"local o, p = setmetatable({{}}, m), setmetatable({{}}, m) log(pcall(function() return {use} end)) end"
        )

    def goto_loop(self, depth: int) -> str:
        self.labels += 1
        label = f"l{self.labels}"
        form = self.random.randint(0, 3)
        if form == 0:
            return (
                f"for j = 1, 3 do for k = 1, 3 do if k == j then goto {label} end log(j, k) end "
                f"::{label}:: log('j', j) end"
            )
        if form == 1:
            return (
                f"do local j = 0 local kept = {{}} ::{label}:: local v = j kept[#kept + 1] = function() v = v + 1 "
                f"return v end j = j + 1 if j < 3 then goto {label} end for _, g in ipairs(kept) do log(g(), g()) end end"
            )
        if form == 2:
            return (
                f"for j = 1, 4 do while true do if j == 2 then goto {label} end if j == 3 then break end "
                f"do log('in', j) break end end log('after', j) ::{label}:: end"
            )
        return f"do local n = 0 repeat n = n + 1 if n % 2 == 0 then goto {label} end log('odd', n) ::{label}:: until n >= 5 end"


def program(random: Random, statements: int = 8) -> str:
    """The source of a program that returns what it has logged."""
    made = Program(random)
    body = "\n".join(made.statement() for _ in range(statements))
    return PRELUDE + body + EPILOGUE
