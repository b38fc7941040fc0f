"""``local args = check(...)``: functions that have argcheck pack their arguments, as functions made by argcheck.

What the table of arguments is put into field by field is given each argument by its name.
"""

from __future__ import annotations

from contextlib import suppress

from torch7py.translate import tree, tree_queries
from torch7py.translate.argument_checks import OF_RULE
from torch7py.translate.native.desugar.rewriting import Leave, Rewriting
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.scopes import Variable
from torch7py.translate.templates import Template
from torch7py.translate.tree import Assignment, Call, Expression, Function, Index, Local, Name, String, Table

__all__ = ["PackedArguments"]

_OPTIONS = {"pack", "help", "doc", "nonamed", "noordered"}


_TAKING = Template("local ARGUMENTS = CHECK(...)")
_COPYING = Template("for KEY, VALUE in pairs(ARGUMENTS) do OBJECT[KEY] = VALUE end")


class PackedArguments(Rewriting):
    def rewrite(self) -> None:
        for statement in tree.every(self.program, Local):
            with suppress(Leave):
                self._write(statement)

    def _write(self, statement: Local) -> None:
        """Of ``local check = argcheck{pack = true, ...}``, which one function calls with all that it is given."""
        call = statement.values[0] if len(statement.names) == len(statement.values) == 1 else None
        table = call.arguments[0] if isinstance(call, Call) and len(call.arguments) == 1 else None
        if not isinstance(call, Call) or not isinstance(call.callee, Name) or not isinstance(table, Table):
            raise Leave
        options = table.named_values
        pack = options.get("pack")
        if not isinstance(pack, tree.Boolean) or not pack.value or options.keys() - _OPTIONS:
            raise Leave
        rules = [self._rule(item.value) for item in table.fields if item.key is None]
        owner, kept = self._taker(self.scopes.of_name[statement.names[0]])
        inside = {node.name for node in tree.walk(owner.function.body) if isinstance(node, Name)}
        names = {name: name if name not in inside else self.fresh(f"{name}_") for name, _ in rules}
        head, itself = self._head(owner)
        said = [f"{key} = true" for key in ("nonamed", "noordered") if key in options]
        texts = [*said, *itself, *(f"{{name = {lua_quoted(name)}{text}}}" for name, text in rules)]
        parameters = ", ".join([*(["self"] if itself else []), *names.values()])
        variable = self.scopes.of_name[kept.names[0]]
        copies = self._copies(owner.function, variable)
        opening = self.source.index(b")", self.source.index(b"(", owner.target.span.end)) + 1
        beginning = f"{head} = {call.callee.name}{{{', '.join(texts)}, call = function({parameters})"
        self.put(statement, "")
        self.put_between(owner.span.start, opening, beginning)
        self.put_between(owner.span.end, owner.span.end, "}")
        for loop, into in copies:
            self.put(loop, "; ".join(f"{into}.{name} = {parameter}" for name, parameter in names.items()))
        if len(variable.reads) == len(copies):
            self.put(kept, "")
        else:
            entries = ", ".join(f"{name} = {parameter}" for name, parameter in names.items())
            self.put(kept.values[0], f"{{{entries}}}")

    def _rule(self, node: Expression) -> tuple[str, str]:
        """The name of an argument, and what else is said of it, but for its check."""
        if not isinstance(node, Table):
            raise Leave
        entries = node.named_values
        name = entries.get("name")
        if len(entries) != len(node.fields) or entries.keys() - OF_RULE or not isinstance(name, String):
            raise Leave
        if not name.value.isidentifier():
            raise Leave
        texts = [
            (key, self.text(entries[key])) for key in ("type", "default", "defaulta", "opt") if key in entries
        ]
        if any("\n" in text for _, text in texts):
            raise Leave
        return name.value, "".join(f", {key} = {text}" for key, text in texts)

    def _taker(self, check: Variable) -> tuple[tree.FunctionStatement, Local]:
        """``function C:f(...) local args = check(...)``"""
        for owner in self.program.statements:
            if not isinstance(owner, tree.FunctionStatement) or not owner.function.vararg:
                continue
            for statement in owner.function.body.statements:
                parts = _TAKING.match(statement)
                if isinstance(statement, Local) and parts is not None and [parts["CHECK"]] == check.reads:
                    rests = tree.every(owner.function.body, tree.Vararg)
                    kept = self.scopes.of_name[statement.names[0]]
                    if len(rests) == 1 and not kept.writes and not check.writes:
                        return owner, statement
        raise Leave

    def _head(self, owner: tree.FunctionStatement) -> tuple[str, list[str]]:
        """What the function is put into, and the rule for its object."""
        target, parameters = owner.target, owner.function.parameters
        if not owner.method:
            if parameters:
                raise Leave
            return self.text(target), []
        if len(parameters) != 1 or not isinstance(target, Index) or not isinstance(target.base, Name):
            raise Leave
        class_name = self._class(self.scopes.of_name[target.base])
        if not isinstance(target.key, String) or class_name is None:
            raise Leave
        return f"{target.base.name}.{target.key.value}", [
            f"{{name = 'self', type = {lua_quoted(class_name)}}}"
        ]

    def _class(self, holder: Variable) -> str | None:
        """The name of the class in ``local C = torch.class('name')``"""
        for statement in self.program.statements:
            values = statement.values if isinstance(statement, Assignment) else ()
            call = values[0] if len(values) == 1 else None
            if isinstance(call, Call) and self.variable(tree_queries.targets(statement)[0]) is holder:
                name = call.arguments[0] if call.arguments else None
                if self.text(call.callee) == "torch.class" and isinstance(name, String):
                    return name.value
        return None

    def _copies(self, function: Function, args: Variable) -> list[tuple[tree.GenericFor, str]]:
        """``for k, v in pairs(args) do self[k] = v end``: such loops, and what is given the arguments."""
        loops = []
        for loop in tree.every(function.body, tree.GenericFor):
            call = loop.values[0]
            argument = call.arguments[0] if isinstance(call, Call) and len(call.arguments) == 1 else None
            if self.variable(argument) is args and len(loop.names) == 2:
                parts = _COPYING.match(loop)
                if parts is None or not isinstance(parts["OBJECT"], Name):
                    raise Leave
                loops.append((loop, parts["OBJECT"].name))
        return loops
