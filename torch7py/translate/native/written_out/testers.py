"""``torch.Tester``: a program's tests, as assertions in functions of a table."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.written_out.rewriting import Leave, Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import (
    Assign,
    Call,
    Expression,
    Index,
    Invoke,
    Local,
    Name,
    Run,
    Statement,
    String,
)

__all__ = ["Testers"]

_COMPARISONS = {
    "assertlt": "<",
    "assertgt": ">",
    "assertle": "<=",
    "assertge": ">=",
    "asserteq": "==",
    "assertne": "~=",
}
# Of numbers, texts, tensors and tables, by what is in them; with a tolerance.
_CONTENTS = {
    "eq": "checkEqual",
    "assertGeneralEq": "checkEqual",
    "assertTensorEq": "checkEqual",
    "assertTableEq": "checkEqual",
    "ne": "checkDifferent",
    "assertGeneralNe": "checkDifferent",
    "assertTensorNe": "checkDifferent",
    "assertTableNe": "checkDifferent",
}
_OTHERS = set(
    """add assert assertError assertErrorMsg assertErrorObj assertErrorPattern assertNoError assertalmosteq disable run
    setEarlyAbort setRethrowErrors setSummaryOnly""".split()
)
_USUAL = "1e-16"  # the tolerance of assertalmosteq where none is given
_SIMPLE = (Name, Index, Call, Invoke, String, tree.Number, tree.Paren, tree.Boolean, tree.Nil)


class Testers(Rewriting):
    """Of a file with one tester, to which it adds one table of tests, and which it then runs.

    Checks become ``assert``, the run a loop that puts the tests into a suite: a failed check ends its test, which the
    original goes on with. Which tests pass is the same.
    """

    def written(self) -> bytes:
        made = [call for call in tree.every(self.program, Call) if self._is(call, "Tester")]
        try:
            if len(made) == 1:
                self.edited(self._of(made[0]))
        except Leave:
            pass
        return self.source

    def _is(self, node: Expression | None, name: str) -> bool:
        """``torch.name()``"""
        callee = node.callee if isinstance(node, Call) and not node.arguments else None
        return (
            isinstance(callee, Index)
            and isinstance(callee.base, Name)
            and callee.base.name == "torch"
            and isinstance(callee.key, String)
            and callee.key.value == name
        )

    def _of(self, made: Call) -> list[tuple[int, int, str]]:
        statements = [s for block in self.blocks() for s in block.statements]
        maker = next((s for s in statements if isinstance(s, (Local, Assign)) and made in s.values), None)
        if maker is None or len(maker.values) != 1:
            raise Leave
        target = maker.names[0] if isinstance(maker, Local) else maker.targets[0]
        if not isinstance(target, Name):
            raise Leave
        tester = self.scopes.of_name[target]
        edits = [(maker.place.start, maker.place.end, ""), *self._declared(tester, maker, target)]
        self.testers, self.left = {tester}, set(tester.reads)
        self.tests: Name | None = None
        self.runs = 0
        self.own: dict[str, str] = {}  # its own checks, and the functions that they become
        for statement in self.program.statements:
            if isinstance(statement, tree.FunctionStatement) and statement.method:
                edits += self._own_check(statement)
        for statement in statements:
            if isinstance(statement, Run) and isinstance(statement.call, Invoke):
                text = self._use(statement, statement.call)
                if text is not None:
                    edits.append((statement.place.start, statement.place.end, text))
            elif isinstance(statement, tree.FunctionStatement) and statement.method:
                edits += self._without_object(statement)
        if self.left or self.runs != 1:
            raise Leave
        for call in tree.every(self.program, Call):
            if self._is(call, "TestSuite"):
                edits.append((call.place.start, call.place.end, "{}"))
        return edits

    def _declared(self, tester: Variable, maker: Statement, target: Name) -> list[tuple[int, int, str]]:
        """What goes of ``local tester``, where it is given its value later, in the same block; it has no other."""
        first = tester.declaration
        if tester.is_global or first is target:
            if len(tester.writes) != tester.is_global:
                raise Leave
            return []
        declared = next(
            (s for s in self.program.statements if isinstance(s, Local) and first in s.names), None
        )
        alone = declared is not None and len(declared.names) == 1 and not declared.values
        if declared is None or not alone or len(tester.writes) != 1 or maker not in self.program.statements:
            raise Leave
        return [(declared.place.start, declared.place.end, "")]

    def _own_check(self, statement: tree.FunctionStatement) -> list[tuple[int, int, str]]:
        """``function tester:check(x)``, a check of the program's own: a function."""
        target, itself = statement.target, statement.function.parameters[0]
        if not (
            isinstance(target, Index) and isinstance(target.base, Name) and isinstance(target.key, String)
        ):
            return []
        if self.scopes.of_name[target.base] not in self.testers:
            return []
        name = target.key.value
        if name in self.own or name in _CONTENTS or name in _COMPARISONS or name in _OTHERS or name[0] == "_":
            raise Leave
        self.own[name] = self.fresh(name)
        self.left.discard(target.base)
        variable = self.scopes.of_name[itself]
        if variable.writes:
            raise Leave
        self.testers.add(variable)
        self.left |= set(variable.reads)
        return [(statement.place.start, target.key.place.end, f"local function {self.own[name]}")]

    def _use(self, statement: Run, call: Invoke) -> str | None:
        """What stands for a call of the tester's; None of any other."""
        methods: list[Invoke] = []
        receiver: Expression = call
        while isinstance(receiver, Invoke):  # tester:add(tests):run()
            methods.insert(0, receiver)
            receiver = receiver.receiver
        if not isinstance(receiver, Name) or self.scopes.of_name[receiver] not in self.testers:
            return None
        self.left.discard(receiver)
        texts = []
        for each in methods:
            if each.method == "add":
                self._added(each)
            elif each.method == "run":
                if each.arguments or self.tests is None or statement not in self.program.statements:
                    raise Leave
                self.runs += 1
                texts.append(self._run(self.tests))
            elif len(methods) == 1:
                texts.append(self._check(each))
            else:
                raise Leave
        # arguments that have checks in them would be edited twice
        inside = {n for each in methods for a in each.arguments for n in tree.walk(a) if isinstance(n, Name)}
        if any(self.scopes.of_name[name] in self.testers for name in inside):
            raise Leave
        return "; ".join(texts)

    def _added(self, call: Invoke) -> None:
        table = call.arguments[0] if len(call.arguments) == 1 else None
        if self.tests is not None or not isinstance(table, Name):
            raise Leave
        self.tests = table

    def _run(self, tests: Name) -> str:
        suite, name, test = self.fresh("suite"), self.fresh("name"), self.fresh("test")
        return (
            f"local {suite} = torch.Tester.newSuite(); for {name}, {test} in pairs({tests.name}) do "
            f"torch.Tester.addTest({suite}, {name}, {test}) end; torch.Tester.runSuite({suite})"
        )

    def _check(self, call: Invoke) -> str:
        method, given = call.method, call.arguments
        if method in self.own:
            return f"{self.own[method]}({', '.join(self.text(node) for node in given)})"
        if method == "assert":
            return f"assert({self._listed(given, 1)})"
        if method in _COMPARISONS:
            a, b = self._two(given)
            return f"assert({a} {_COMPARISONS[method]} {b}{self._rest(given[2:], 1)})"
        if method == "assertalmosteq":
            a, b = self._two(given)
            tolerance = next((x for x in given[2:] if not self._says(x)), None)
            most = self._operand(tolerance) if tolerance is not None else _USUAL
            return f"assert(math.abs({a} - {b}) <= {most}{self._rest([x for x in given[2:] if x is not tolerance], 1)})"
        if method in ("assertError", "assertNoError"):
            wanted = "pcall" if method == "assertNoError" else "not pcall"
            return f"assert({wanted}({self._listed(given[:1], 1)}){self._rest(given[1:], 1)})"
        if method in _CONTENTS and len(given) >= 2:
            return f"torch.Tester.{_CONTENTS[method]}({self._listed(given, 4)})"
        raise Leave

    @staticmethod
    def _says(node: Expression) -> bool:
        """Whether an argument is a message: a text, or what texts are joined to."""
        return isinstance(node, String) or (isinstance(node, tree.Binary) and node.operator == "..")

    def _two(self, given: tuple[Expression, ...]) -> tuple[str, str]:
        if len(given) < 2:
            raise Leave
        return self._operand(given[0]), self._operand(given[1])

    def _operand(self, node: Expression) -> str:
        return self.text(node) if isinstance(node, _SIMPLE) else f"({self.text(node)})"

    def _listed(self, given: tuple[Expression, ...], most: int) -> str:
        if not 1 <= len(given) <= most + 1:
            raise Leave
        return ", ".join(self.text(node) for node in given)

    def _rest(self, given: tuple[Expression, ...] | list[Expression], most: int) -> str:
        if len(given) > most:
            raise Leave
        return "".join(f", {self.text(node)}" for node in given)

    def _without_object(self, statement: tree.FunctionStatement) -> list[tuple[int, int, str]]:
        """``function tests:name()``: the tester calls it with nothing."""
        target, function = statement.target, statement.function
        if not (
            isinstance(target, Index) and isinstance(target.base, Name) and isinstance(target.key, String)
        ):
            return []
        if not self._is_suite(self.scopes.of_name[target.base]):
            return []
        itself = function.parameters[0]
        if self.scopes.of_name[itself].reads:
            raise Leave
        start, end = target.base.place.end, target.key.place.end
        return [(start, end, f".{target.key.value}")]

    def _is_suite(self, variable: Variable) -> bool:
        return any(
            self._is(value, "TestSuite")
            for block in self.blocks()
            for s in block.statements
            for target, value in _pairs(s)
            if isinstance(target, Name) and self.scopes.of_name[target] is variable
        )


def _pairs(node: Statement) -> list[tuple[Expression, Expression]]:
    if isinstance(node, Local):
        return list(zip(node.names, node.values, strict=False))
    return list(zip(node.targets, node.values, strict=False)) if isinstance(node, Assign) else []
