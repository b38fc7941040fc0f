"""Functions of a program: as definitions or lambdas, with what they assign outside of them and what they return."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import page_library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.native import checked_arguments, code, devices, layer_classes, plain_calls
from torch7py.translate.native.analysis.unknown_values import described
from torch7py.translate.native.closures import Closures
from torch7py.translate.native.code import INDENT, Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Index, Invoke, Name

__all__ = ["Functions"]


class Functions:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self.closures = Closures(translator)

    def statement(self, node: tree.FunctionStatement) -> None:
        t = self.t
        if isinstance(node.target, Name):
            self.define(t.names.of(node.target), node.function)
            return
        assert isinstance(node.target, Index)
        if t.kind(node.target.base) == "table" and isinstance(node.target.key, tree.String):
            name = t.fresh(code.python_name(node.target.key.value))
            self.define(name, node.function)
            t.emit(f"{t.target(node.target)} = {name}")
            return
        of_all = facts.is_module(t.path(node.target.base)) and isinstance(node.target.key, tree.String)
        if of_all and not t.objects and not plain_calls.is_new_method(node.target.key_name):
            of_all = False
        if of_all and (t.objects or t.apart):
            name = t.fresh(code.python_name(node.target.key_name or ""))
            self.define(name, node.function)
            t.mixed = True
            methods = "OBJECT_METHODS" if t.objects else "OF_ALL_MODULES"
            key = code.quoted(node.target.key_name or "")
            t.emit(f"{page_library.MODULE}.{methods}[{key}] = {name}  # of all modules")
            return
        of_class = layer_classes.field_of_class(t, node.target)
        if of_class is None and (t.path(node.target.base) is not None or t.kind(node.target.base) == "class"):
            refuse = t.of_each_module if of_all else Problem
            raise refuse("T7-241", node.line, f"a method of {described(t, node.target.base)}")
        t.assignments.one(node.target, node.function, node)  # of one object, or of what may be one

    def value(self, node: tree.Function) -> Py:
        written = self._as_lambda(node)
        if written is not None:
            return written
        name = self.t.fresh("function")
        self.define(name, node)
        return atom(name)

    def _as_lambda(self, node: tree.Function) -> Py | None:
        """A function that gives the value of one expression; None where that needs statements of its own."""
        t = self.t
        statements = node.body.statements
        if not (
            len(statements) == 1
            and isinstance(statements[0], tree.Return)
            and len(statements[0].values) == 1
            and not node.vararg
            and not (t.is_floor and isinstance(statements[0].values[0], (Call, Invoke)))
            and not any(isinstance(n, tree.Function) for n in tree.walk(statements[0]))
        ):
            return None
        before, put_back = len(t.lines), t.checkpoint()
        with altered(t, scope=t.scopes.of_function[node]):
            returned = statements[0].values[0]
            if t.counts.is_exact(node) and isinstance(returned, (Call, Invoke)):
                return None
            handed_on = t.training.handed_on(node, returned)
            if handed_on is not None:
                inner = handed_on
            else:
                inner = t.calls.all_values(returned) if t.calls.count(returned) > 1 else t.value(returned)
        if len(t.lines) > before:
            put_back()
            return None
        ends = [call.arguments[-1] for call in t.types.calls_of.get(node, []) if call.arguments]
        is_spread = any(isinstance(last, tree.Vararg) or t.is_unpacked(last) for last in ends)
        names = [
            f"{t.names.of(parameter)}=None"
            if t.training.may_be_missing(node, parameter) or is_spread
            else t.names.of(parameter)
            for parameter in node.parameters
            if handed_on is None or not t.training.is_weights(node, parameter)
        ]
        parameters = ", ".join([*names, *self.captured_by_turn(t.scopes.of_function[node])])
        return Py(f"lambda {parameters}: {inner}" if parameters else f"lambda: {inner}", code.TERNARY)

    def define(
        self,
        name: str,
        node: tree.Function,
        explicit_parameters: Sequence[Name] | None = None,
        inits: Sequence[str] = (),
        first: Sequence[str] = (),
        last: Sequence[str] = (),
    ) -> None:
        """A function. ``explicit_parameters``: other ones than its own, between ``first`` and ``last``;
        ``inits``: lines before its own."""
        t = self.t
        if not name.isidentifier():  # a function that several files use, or that each turn of a loop has
            plain = t.fresh(name.removesuffix("[0]").rpartition(".")[2])
            self.define(plain, node)
            t.emit(f"{name} = {plain}")
            return
        if (
            t.training.known_function(name, node)
            or devices.defined(t, name, node)
            or t.graphs.method(name, node)
        ):
            return
        scope = t.scopes.of_function[node]
        parameters = list(first)
        for parameter in node.parameters if explicit_parameters is None else explicit_parameters:
            if t.training.is_weights(node, parameter):
                continue
            text = t.names.of(parameter)
            checked = checked_arguments.parameter(t, node, parameter)
            if checked is not None:
                parameters.append(checked)
                continue
            missing = t.training.may_be_missing(node, parameter)
            parameters.append(f"{text}=None" if missing else text)
        parameters += last
        if node.vararg:
            parameters.append(f"*{t.names.rest(scope)}")
        parameters += self.captured_by_turn(scope)
        t.gap()
        with altered(t, scope=scope, labels=[]), t.writing(node):
            if t.training.only_evaluates(node):
                t.emit("@torch.no_grad()")
            t.emit(f"def {name}({', '.join(parameters)}):")
            self._function_body(node, scope, inits)
        t.emit("")

    def _function_body(self, node: tree.Function, scope: Scope, inits: Sequence[str]) -> None:
        t = self.t
        with t.indented():
            outside = [v for v in self.assigned_outside(scope) if v not in t.training.vectors.aliases]
            for word, top in (("global", True), ("nonlocal", False)):
                here = {v for v in outside if t.modules.at_module_level(v) is top}
                if not top:
                    self._refuse_unreachable(here, node.line)
                if here:
                    t.emit(f"{word} {', '.join(sorted(map(t.names.of_variable, here)))}")
            start = len(t.lines)
            t.around.append(scope)
            checks = t.types.checks.get(node)
            for line in checked_arguments.docstring(checks):
                t.emit(line) if line.strip() else t.lines.append("")
            for comment in checks.comments if checks is not None else ():
                t.comment(comment)
            for line in checked_arguments.lines(t, node):
                t.emit(line)
            t.block(node.body)
            t.around.pop()
            begun = len(t.lines) > start and t.lines[start].strip().startswith("super().__init__(")
            at = start + 1 if begun else start
            t.lines[at:at] = [INDENT * t.depth + line for line in inits]
            returns = t.types.returns[node]
            count = t.counts.written(node)
            is_open = t.is_floor and scope.parent is not None and node not in t.classes.owners
            may_end = returns.falls_off or not returns.counts
            if (is_open and returns.falls_off) or (may_end and t.counts.is_exact(node)):
                t.emit("return ()")
            elif returns.falls_off and count > 1:
                t.emit(f"return {', '.join(['None'] * count)}")

    def _refuse_unreachable(self, variables: set[Variable], line: int) -> None:
        """A function outside of ``main`` cannot assign the variables that are in it."""
        t = self.t
        for variable in sorted(variables, key=lambda v: v.name):  # the same report each time
            if variable.scope in t.around or t.in_main:
                continue
            raise Problem("T7-241", line, f"a function of another file or class that assigns {variable.name}")

    def outer_variables(self, node: tree.Node) -> set[Variable]:
        t = self.t
        variables = set()
        for name in tree.walk(node):
            if isinstance(name, Name):
                variable = t.scopes.of_name[name]
                if variable in t.types.packages:
                    continue
                if variable.scope is t.scopes.main or (variable.is_global and variable.writes):
                    variables.add(variable)
        return variables

    def captured_by_turn(self, scope: Scope) -> list[str]:
        """Default arguments for what a function made in a loop takes from its turn, which no call can give it."""
        if scope.function is None:
            return []
        names = [self.closures.box(variable) for variable in self.closures.of_turn(scope)]
        apart = ["*"] if names and not scope.function.vararg else []
        return [*apart, *(f"{name}={name}" for name in names)]

    def assigned_outside(self, scope: Scope) -> list[Variable]:
        """The variables of functions around that a function assigns; a package has no variable in Python."""
        t = self.t
        assigned = [v for v in scope.upvalues if scope in v.writers]
        assigned += [v for v in t.scopes.globals.values() if scope in v.writers]
        kept = [v for v in assigned if not t.training.is_dropped(v) and t.names.of_variable(v) != "_"]
        return [
            v
            for v in kept
            if v not in t.modules.shared and v not in t.modules.aliases and v not in t.types.packages
            if v not in self.closures.boxes
        ]

    def return_statement(self, node: tree.Return) -> None:
        t = self.t
        if t.training.returns(node) or t.behind_error():
            return
        function = t.scope.function
        is_open = t.is_floor and function is not None and t.plain_layers.current is None
        if is_open or t.counts.is_exact(function):
            t.emit(f"return {self._all_results(node)}")
            return
        count = t.counts.written(function) if function is not None else 0
        if not node.values:
            t.emit("return" if count < 2 else f"return {', '.join(['None'] * count)}")
            return
        varies = isinstance(node.values[-1], tree.Vararg) and function is not None
        if function is not None and self.t.calls.gives_list(function):
            self.t.emit(f"return {self.t.calls.unpacked(node.values[0])}")
            return
        last = node.values[-1]
        varies = varies or (isinstance(last, (Call, Invoke)) and t.calls.gives_letters(last))
        if varies and len(node.values) == 1:
            raise Problem("T7-216", node.line, "a function that gives as many values as it is given")
        if t.plainly and count > 1 and len(node.values) == 1 and self._gives_some(last, count):
            return
        keep = function is not None and function in t.training.losses.graph_functions
        write = t.expressions.graph if keep else t.value
        if (
            t.plainly
            and len(node.values) == 1
            and isinstance(last, (Call, Invoke))
            and t.calls.is_uneven(last)
        ):
            values = plain_calls.all_values(t, last)
            if values is not None:  # as many as callers take, whichever function it is
                t.emit(f"return {plain_calls.library_call(t, 'first_of', [values.text, str(count)])}")
                return
        if len(node.values) == 1 and t.calls.count(node.values[0]) > 1:
            values, missing = self._all_values(node.values[0]), count - t.calls.count(node.values[0])
            t.emit(
                f"return {values}" if missing < 1 else f"return *{values}, {', '.join(['None'] * missing)}"
            )
            return
        texts = [write(value).text for value in node.values]
        if varies:
            texts[-1] = f"*{t.rest()}"
        texts += ["None"] * (count - len(texts))
        t.emit(f"return {', '.join(texts)}")

    def _gives_some(self, last: tree.Expression, count: int) -> bool:
        """Write a return of what a call gives that is of functions with different numbers of values; whether it is."""
        t = self.t
        if not isinstance(last, (Call, Invoke)) or not (t.calls.is_filled_up(last) or t.calls.varies(last)):
            return False
        values = plain_calls.all_values(t, last)
        if values is not None:
            t.emit(f"return {plain_calls.library_call(t, 'first_of', [values.text, str(count)])}")
        return values is not None

    def _all_results(self, node: tree.Return) -> str:
        """Exactly the values that a function gives: one as itself, and several, or none, as a tuple."""
        t = self.t
        *first, last = node.values or (None,)
        if last is None:
            return "()"
        texts = [t.value(value).text for value in first if value is not None]
        if isinstance(last, tree.Vararg):
            return f"({', '.join(texts)}, *{t.rest()})" if texts else f"tuple({t.rest()})"
        if not isinstance(last, (Call, Invoke)) or (t.calls.is_one(last, 1) and not t.is_unpacked(last)):
            return ", ".join([*texts, t.value(last).text])
        values = plain_calls.all_values(t, last)
        if values is None and t.counts.of(last) == (0, 0):
            values = plain_calls.library_call(t, "no_values", [t.value(last).text])
        if values is None and t.counts.may_lack_value(last):
            values = atom(f"{t.need('without_none')}({t.value(last)})")
        if values is None and t.counts.are_all(last):
            return ", ".join([*texts, f"*{t.calls.all_values(last)}"])
        if values is None:
            raise Undecided("T7-218", node.line, "all values of a call that a function has at its end")
        whole = plain_calls.library_call(t, "handed_on", [values.text]).text
        return f"({', '.join(texts)}, *{values})" if texts else whole

    def _all_values(self, node: tree.Expression) -> Py:
        """The values of a function's last call, by a plain call where its form hangs on what it calls."""
        t = self.t
        put_back = t.checkpoint()
        try:
            return t.calls.all_values(node)
        except Undecided:
            values = None
            if t.plainly and isinstance(node, (Call, Invoke)):
                put_back()
                values = plain_calls.all_values(t, node)
            if values is None:
                raise
            return plain_calls.library_call(t, "first_of", [values.text, str(t.calls.count(node))])
