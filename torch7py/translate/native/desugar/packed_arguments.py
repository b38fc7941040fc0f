"""``local args = check(...)``: functions that have argcheck pack their arguments, as functions made by argcheck.

What the table of arguments is put into field by field is given each argument by its name.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.argument_checks import OF_RULE
from torch7py.translate.native.desugar.rewriting import Leave, Rewriting
from torch7py.translate.quoting import lua_quoted
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import (
    Assign,
    Assignment,
    Call,
    Expression,
    Function,
    Index,
    Local,
    Name,
    String,
    Table,
)

__all__ = ["PackedArguments"]

_OPTIONS = {"pack", "help", "doc", "nonamed", "noordered"}


class PackedArguments(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for statement in tree.every(self.program, Local):
            edits += self._edits(statement)
        self.edited(edits)
        return self.source

    def _edits(self, statement: Local) -> list[tuple[int, int, str]]:
        try:
            return self._of(statement)
        except Leave:
            return []

    def _of(self, statement: Local) -> list[tuple[int, int, str]]:
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
        check = self.scopes.of_name[statement.names[0]]
        owner, kept, taken = self._taker(check)
        inside = {node.name for node in tree.walk(owner.function.body) if isinstance(node, Name)}
        names: dict[str, str] = {}
        for name, _ in rules:
            names[name] = name if name not in inside else self.fresh(f"{name}_")
        head, itself = self._head(owner)
        said = [f"{key} = true" for key in ("nonamed", "noordered") if key in options]
        texts = [*said, *itself, *(f"{{name = {lua_quoted(name)}{text}}}" for name, text in rules)]
        parameters = [*(["self"] if itself else []), *names.values()]
        opening = self.source.index(b")", self.source.index(b"(", owner.target.span.end)) + 1
        edits = [(statement.span.start, statement.span.end, "")]
        edits.append(
            (
                owner.span.start,
                opening,
                f"{head} = {call.callee.name}{{{', '.join(texts)}, call = function({', '.join(parameters)})",
            )
        )
        edits.append((owner.span.end, owner.span.end, "}"))
        copies = self._copies(owner.function, self.scopes.of_name[kept.names[0]])
        for loop, into in copies:
            stores = [f"{into}.{name} = {parameter}" for name, parameter in names.items()]
            edits.append((loop.span.start, loop.span.end, "; ".join(stores)))
        entries = ", ".join(f"{name} = {parameter}" for name, parameter in names.items())
        alone = len(self.scopes.of_name[kept.names[0]].reads) == len(copies)
        edits.append(
            (kept.span.start, kept.span.end, "")
            if alone
            else (taken.span.start, taken.span.end, f"{{{entries}}}")
        )
        return edits

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

    def _taker(self, check: Variable) -> tuple[tree.FunctionStatement, Local, Call]:
        """``function C:f(...) local args = check(...)``"""
        if check.writes or len(check.reads) != 1:
            raise Leave
        for owner in self.program.statements:
            if not isinstance(owner, tree.FunctionStatement) or not owner.function.vararg:
                continue
            for statement in owner.function.body.statements:
                alone = isinstance(statement, Local) and len(statement.names) == len(statement.values) == 1
                value = statement.values[0] if isinstance(statement, Local) and alone else None
                if not isinstance(statement, Local) or not isinstance(value, Call):
                    continue
                if value.callee is not check.reads[0]:
                    continue
                only = value.arguments[0] if len(value.arguments) == 1 else None
                rests = tree.every(owner.function.body, tree.Vararg)
                kept = self.scopes.of_name[statement.names[0]]
                if isinstance(only, tree.Vararg) and len(list(rests)) == 1 and not kept.writes:
                    return owner, statement, value
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
            if not isinstance(statement, Assignment) or len(statement.values) != 1:
                continue
            target = (statement.targets)[0]
            value = statement.values[0]
            if isinstance(target, Name) and self.scopes.of_name[target] is holder and isinstance(value, Call):
                name = value.arguments[0] if value.arguments else None
                if self.text(value.callee) == "torch.class" and isinstance(name, String):
                    return name.value
        return None

    def _copies(self, function: Function, args: Variable) -> list[tuple[tree.GenericFor, str]]:
        """``for k, v in pairs(args) do self[k] = v end``: such loops, and what is given the arguments."""
        loops = []
        for loop in (node for node in tree.walk(function.body) if isinstance(node, tree.GenericFor)):
            call, body = loop.values[0], loop.body.statements
            argument = call.arguments[0] if isinstance(call, Call) and len(call.arguments) == 1 else None
            store = body[0] if len(body) == 1 else None
            if (
                not isinstance(argument, Name)
                or self.scopes.of_name[argument] is not args
                or len(loop.names) != 2
            ):
                continue
            if not isinstance(store, Assign) or len(store.targets) != 1 or len(store.values) != 1:
                raise Leave
            target, value = store.targets[0], store.values[0]
            if (
                not isinstance(target, Index)
                or not isinstance(target.base, Name)
                or isinstance(target.key, String)
            ):
                raise Leave
            if not isinstance(target.key, Name) or not isinstance(value, Name):
                raise Leave
            places = [self.scopes.of_name[name] for name in (target.key, value)]
            if places != [self.scopes.of_name[name] for name in loop.names]:
                raise Leave
            loops.append((loop, target.base.name))
        return loops
