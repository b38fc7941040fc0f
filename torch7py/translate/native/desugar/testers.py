"""``torch.Tester``: a program's tests, as assertions in functions of a table.

A file of tests makes its tester, or is handed that of the file that runs it: as what ``...`` holds, or as the argument
of a function that it returns.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Leave, Rewriting
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import (
    Assign,
    Block,
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


# Checks that nothing else than a tester has.
_UNMISTAKABLE = {*_CONTENTS, *_COMPARISONS, "assertalmosteq", "assertError"} - {"eq", "ne"}


class Testers(Rewriting):
    """Of a file with one tester, to which it adds tables of tests, and which it then runs; or with one handed to it.

    Checks become ``assert``, the run a loop that puts the tests into a suite: a failed check ends its test, which the
    original goes on with. Which tests pass is the same.
    """

    def written(self) -> bytes:
        constructions = [call for call in tree.every(self.program, Call) if self._is(call, "Tester")]
        try:
            if len(constructions) == 1:
                self.edited(self._of(constructions[0]))
            elif not constructions:
                self.edited(self._handed())
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

    def _of(self, construction: Call) -> list[tuple[int, int, str]]:
        statements = [s for block in self.blocks() for s in block.statements]
        maker = next(
            (s for s in statements if isinstance(s, (Local, Assign)) and construction in s.values), None
        )
        if maker is None or len(maker.values) != 1:
            raise Leave
        target = maker.names[0] if isinstance(maker, Local) else maker.targets[0]
        if not isinstance(target, Name):
            raise Leave
        tester = self.scopes.of_name[target]
        edits = [(maker.span.start, maker.span.end, ""), *self._declared(tester, maker, target)]
        edits += self._uses(tester)
        if not self.runs:
            raise Leave
        return edits

    def _handed(self) -> list[tuple[int, int, str]]:
        """Of a file that is handed its tester by the one that runs its tests."""
        statements = self.program.statements
        last = statements[-1] if statements else None
        gives = last.values[0] if isinstance(last, tree.Return) and len(last.values) == 1 else None
        edits: list[tuple[int, int, str]] = []
        tester: Variable | None = None
        for statement in statements:  # local tester = ...
            alone = isinstance(statement, Local) and len(statement.names) == len(statement.values) == 1
            if isinstance(statement, Local) and alone and isinstance(statement.values[0], tree.Vararg):
                tester = self.scopes.of_name[statement.names[0]]
                if tester.writes:
                    raise Leave
                edits.append((statement.span.start, statement.span.end, ""))
        if tester is None and isinstance(gives, tree.Function) and len(gives.parameters) == 1:
            parameter = gives.parameters[0]  # return function(tester) ... end
            tester = self.scopes.of_name[parameter]
            if tester.writes:
                raise Leave
            kept = gives.body.statements[0] if gives.body.statements else None
            if isinstance(kept, Assign) and len(kept.targets) == len(kept.values) == 1:
                target, value = kept.targets[0], kept.values[0]
                if isinstance(target, Name) and tester.reads == [value]:  # local tester, which it is put into
                    edits.append((kept.span.start, kept.span.end, ""))
                    tester = self.scopes.of_name[target]
                    edits += self._declared(tester, kept, target)
            edits.append((parameter.span.start, parameter.span.end, ""))
        if tester is None or not self._is_tester(tester):
            raise Leave
        edits += self._uses(tester)
        if self.runs or self.added:
            raise Leave
        return edits

    def _of_variable(self, node: Expression) -> Variable | None:
        return self.scopes.of_name[node] if isinstance(node, Name) else None

    def _is_tester(self, variable: Variable) -> bool:
        """Whether what is called on a variable says that it holds a tester, in a file that has a suite or not."""
        calls = tree.every(self.program, Invoke)
        methods = {c.method for c in calls if self._of_variable(c.receiver) is variable}
        suite = any(self._is(call, "TestSuite") for call in tree.every(self.program, Call))
        return bool(methods) and (suite or bool(methods & _UNMISTAKABLE))

    def _uses(self, tester: Variable) -> list[tuple[int, int, str]]:
        """What stands for all that is done with a tester."""
        edits: list[tuple[int, int, str]] = []
        self.testers, self.left = {tester}, set(tester.reads)
        self.added: list[
            tuple[Block, int, str]
        ] = []  # the suites: where they are added, and what they are called
        self.runs = 0
        self.user_checks: dict[str, str] = {}  # its own checks, and the functions that they become
        for statement in self.program.statements:
            if isinstance(statement, tree.FunctionStatement) and statement.method:
                edits += self._user_check(statement)
        for block in self.blocks():
            for statement in block.statements:
                if isinstance(statement, Run) and isinstance(statement.call, Invoke):
                    text = self._use(statement, statement.call, block)
                    if text is not None:
                        edits.append((statement.span.start, statement.span.end, text))
                elif isinstance(statement, tree.FunctionStatement) and statement.method:
                    edits += self._without_object(statement)
                elif isinstance(statement, tree.Return):
                    edits += self._returned(statement, block)
        if self.left:
            raise Leave
        for call in tree.every(self.program, Call):
            if self._is(call, "TestSuite"):
                edits.append((call.span.start, call.span.end, "{}"))
        return edits

    def _returned(self, statement: tree.Return, block: Block) -> list[tuple[int, int, str]]:
        """``return tester`` at the end of a function that runs it: who runs tests does not look at it."""
        value = statement.values[0] if len(statement.values) == 1 else None
        if not isinstance(value, Name) or self.scopes.of_name[value] not in self.testers:
            return []
        functions = [f for f in tree.every(self.program, tree.Function) if f.body is block]
        if not functions or not any(value.span.start > offset for _, offset, _ in self.added):
            raise Leave
        self.left.discard(value)
        return [(statement.span.start, statement.span.end, "")]

    def _declared(self, tester: Variable, maker: Statement, target: Name) -> list[tuple[int, int, str]]:
        """What goes of ``local tester``, where it is given its value later, and no other."""
        first = tester.declaration
        if tester.is_global or first is target:
            if len(tester.writes) != tester.is_global:
                raise Leave
            return []
        declared = next(
            (s for s in self.program.statements if isinstance(s, Local) and first in s.names), None
        )
        alone = declared is not None and len(declared.names) == 1 and not declared.values
        if declared is None or not alone or len(tester.writes) != 1:
            raise Leave
        return [(declared.span.start, declared.span.end, "")]

    def _user_check(self, statement: tree.FunctionStatement) -> list[tuple[int, int, str]]:
        """``function tester:check(x)``, a check of the program's own: a function."""
        target, itself = statement.target, statement.function.parameters[0]
        if not (
            isinstance(target, Index) and isinstance(target.base, Name) and isinstance(target.key, String)
        ):
            return []
        if self.scopes.of_name[target.base] not in self.testers:
            return []
        name = target.key.value
        if (
            name in self.user_checks
            or name in _CONTENTS
            or name in _COMPARISONS
            or name in _OTHERS
            or name[0] == "_"
        ):
            raise Leave
        self.user_checks[name] = self.fresh(name)
        self.left.discard(target.base)
        variable = self.scopes.of_name[itself]
        if variable.writes:
            raise Leave
        self.testers.add(variable)
        self.left |= set(variable.reads)
        return [(statement.span.start, target.key.span.end, f"local function {self.user_checks[name]}")]

    def _use(self, statement: Run, call: Invoke, block: Block) -> str | None:
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
        for method_call in methods:
            if method_call.method == "add":
                texts += self._added(method_call, block)
            elif method_call.method == "run":
                texts.append(self._run(method_call, block))
            elif len(methods) == 1:
                texts.append(self._check(method_call))
            else:
                raise Leave
        # arguments that have checks in them would be edited twice
        inside = {
            n
            for method_call in methods
            for a in method_call.arguments
            for n in tree.walk(a)
            if isinstance(n, Name)
        }
        if any(self.scopes.of_name[name] in self.testers and name in self.left for name in inside):
            raise Leave
        return "; ".join(texts)

    def _added(self, call: Invoke, block: Block) -> list[str]:
        suite = call.arguments[0] if len(call.arguments) == 1 else None
        if isinstance(suite, Name):
            self.added.append((block, call.span.start, suite.name))
            return []
        # what another file gives that is handed the tester
        argument = suite.arguments[0] if isinstance(suite, Call) and len(suite.arguments) == 1 else None
        if (
            not isinstance(suite, Call)
            or not isinstance(argument, Name)
            or not isinstance(suite.callee, Call)
        ):
            raise Leave
        if self.scopes.of_name[argument] not in self.testers:
            raise Leave
        self.left.discard(argument)
        name = self.fresh("tests")
        self.added.append((block, call.span.start, name))
        return [f"local {name} = {self.text(suite.callee)}()"]

    def _run(self, call: Invoke, block: Block) -> str:
        """All tests, or those that an argument names; they were added in the block of the run, or in the file's."""
        known = [
            suite
            for where, start, suite in self.added
            if start < call.span.end and where in (block, self.program)
        ]
        if not known or len(known) != len(self.added) or len(call.arguments) > 1:
            raise Leave
        self.runs += 1
        suite = self.fresh("suite")
        texts = [f"local {suite} = torch.Tester.newSuite()"]
        for tests in known:
            if call.arguments:
                texts.append(f"torch.Tester.addWanted({suite}, {tests}, {self.text(call.arguments[0])})")
                continue
            name, test = self.fresh("name"), self.fresh("test")
            texts.append(
                f"for {name}, {test} in pairs({tests}) do torch.Tester.addTest({suite}, {name}, {test}) end"
            )
        return "; ".join([*texts, f"torch.Tester.runSuite({suite})"])

    def _check(self, call: Invoke) -> str:
        method, args = call.method, call.arguments
        if method in self.user_checks:
            return f"{self.user_checks[method]}({', '.join(self.text(node) for node in args)})"
        if method == "assert":
            return f"assert({self._listed(args, 1)})"
        if method in _COMPARISONS:
            a, b = self._two(args)
            return f"assert({a} {_COMPARISONS[method]} {b}{self._rest(args[2:], 1)})"
        if method == "assertalmosteq":
            a, b = self._two(args)
            tolerance = next((x for x in args[2:] if not self._says(x)), None)
            most = self._operand(tolerance) if tolerance is not None else _USUAL
            return f"assert(math.abs({a} - {b}) <= {most}{self._rest([x for x in args[2:] if x is not tolerance], 1)})"
        if method in ("assertError", "assertNoError"):
            wanted = "pcall" if method == "assertNoError" else "not pcall"
            return f"assert({wanted}({self._listed(args[:1], 1)}){self._rest(args[1:], 1)})"
        if method in _CONTENTS and len(args) >= 2:
            return f"torch.Tester.{_CONTENTS[method]}({self._listed(args, 4)})"
        raise Leave

    @staticmethod
    def _says(node: Expression) -> bool:
        """Whether an argument is a message: a text, or what texts are joined to."""
        return isinstance(node, String) or (isinstance(node, tree.Binary) and node.operator == "..")

    def _two(self, args: tuple[Expression, ...]) -> tuple[str, str]:
        if len(args) < 2:
            raise Leave
        return self._operand(args[0]), self._operand(args[1])

    def _operand(self, node: Expression) -> str:
        return self.text(node) if isinstance(node, _SIMPLE) else f"({self.text(node)})"

    def _listed(self, args: tuple[Expression, ...], most: int) -> str:
        if not 1 <= len(args) <= most + 1:
            raise Leave
        return ", ".join(self.text(node) for node in args)

    def _rest(self, args: tuple[Expression, ...] | list[Expression], most: int) -> str:
        if len(args) > most:
            raise Leave
        return "".join(f", {self.text(node)}" for node in args)

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
        start, end = target.base.span.end, target.key.span.end
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
