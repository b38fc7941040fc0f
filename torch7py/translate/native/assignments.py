"""Assignments: of one value and of several, and what may stand on their left."""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.kind_rules import HELD
from torch7py.translate.native import (
    code,
    indexing,
    layer_classes,
    memory,
    plain_calls,
    tensors,
    text,
    timers_and_paths,
)
from torch7py.translate.native.analysis.unknown_values import described, undecided
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.optimizers import settings
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.text import may_be_missing, may_be_no_entry
from torch7py.translate.patching import altered
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import same_expression

__all__ = ["Assignments"]


_CHANGE_NOTHING = {"size", "dim", "nDimension", "nElement", "numel", "clone"}


class Assignments:
    """Writes the assignments of a program."""

    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self._named: dict[Index, str] = {}  # what several values are given before they are appended

    def write(
        self, node: Statement, targets: tuple[Expression, ...], values: tuple[Expression, ...], local: bool
    ) -> None:
        if len(targets) == len(values) == 1:
            if self.t.training.several(values[0], targets) or self._takes_field(targets[0], values[0]):
                return
            self.one(targets[0], values[0], node)
            return
        if local and not values:
            for target in targets:
                if not (isinstance(target, Name) and self._is_short_name(target)):
                    self.t.emit(f"{self.target(target)} = None")
            return
        is_last_open = len(values) <= len(targets) and plain_calls.is_first(self.t, values[-1])
        if is_last_open and plain_calls.several(self.t, values, targets):
            return
        if len(values) == 1 and self._several_of(values[0], targets):
            return
        if len(targets) == len(values):
            kept = [
                (target, value)
                for target, value in zip(targets, values, strict=True)
                if not (isinstance(target, Name) and self._is_short_name(target))
            ]
            if len(kept) < len(targets):
                if kept:
                    self.write(node, tuple(x for x, _ in kept), tuple(x for _, x in kept), local)
                return
            targets, values = _fields_first(targets, values)
            if any(
                isinstance(x, Index) and (self.t.plain_values or self.t.is_object(x.base)) for x in targets
            ):
                self._into_objects(targets, values)
                return
            if any(isinstance(value, tree.Function) for value in values):
                for target, value in zip(targets, values, strict=True):
                    self.one(target, value, node)
                return
            if self._appends_alone(targets, values):
                for target, value in zip(targets, values, strict=True):
                    self.one(target, value, node)
                return
            if self._independent(targets, values):
                # Several plain values read better one below the other when they are long.
                texts = [self.stored(t, v).text for t, v in zip(targets, values, strict=True)]
                lefts = [self.target(target) for target in targets]
                if sum(map(len, texts)) + sum(map(len, lefts)) > 70:
                    for left, text in zip(lefts, texts, strict=True):
                        self.t.emit(f"{left} = {text}")
                    return
                self.t.emit(f"{', '.join(lefts)} = {', '.join(texts)}")
                return
            texts = [self.stored(t, v).text for t, v in zip(targets, values, strict=True)]
            self.t.emit(f"{', '.join(self.target(t) for t in targets)} = {', '.join(texts)}")
            return
        if isinstance(values[-1], tree.Vararg):
            items = [self.t.value(value).text for value in values[:-1]]
            items += [f"*{self.t.rest()}", *["None"] * (len(targets) - len(items))]
            names = ", ".join(self.target(target) for target in targets)
            self.t.emit(f"{names} = ({', '.join(items)})[:{len(targets)}]")
            return
        if len(values) < len(targets) and not isinstance(values[-1], (Call, Invoke, tree.Vararg)):
            texts = [self.t.value(value).text for value in values] + ["None"] * (len(targets) - len(values))
            self.t.emit(f"{', '.join(self.target(t) for t in targets)} = {', '.join(texts)}")
            return
        last = values[-1]
        of_program = isinstance(last, (Call, Invoke)) and bool(self.t.types.function_called(last))
        if self.t.calls.is_surely_one(last) or (of_program and self.t.counts.of(last) == (1, 1)):
            texts = [self.t.value(value).text for value in values] + ["None"] * (len(targets) - len(values))
            self.t.emit(f"{', '.join(self.target(t) for t in targets)} = {', '.join(texts)}")
            return
        if len(values) == 1 and all(self.t.unread(target) for target in targets[1:]):
            self.one(targets[0], last, node)
            return
        if self.t.plainly and plain_calls.several(self.t, values, targets):
            return
        raise Undecided(
            "T7-211",
            node.line,
            "more names than values, the last of which is a call: only alone may it give several",
        )

    def _is_short_name(self, target: Name) -> bool:
        """Whether a variable is another name of a layer or function, which is written as itself."""
        return self.t.scopes.of_name[target] in self.t.types.packages

    def _takes_field(self, target: Expression, value: Expression) -> bool:
        """``self[k] = v`` for the fields of a table, whose names an object's attributes have as well."""
        t = self.t
        table = t.types.taken_fields.get(target) if isinstance(target, Index) else None
        if table is None or not isinstance(target, Index) or t.kind(target.base) != "object":
            return False
        if t.kind(table) != "table" or t.representation(table) not in ("dict", "record"):
            return False
        if any(code.attribute_name(name) != name for name in t.type(table).find().fields):
            return False
        t.emit(f"setattr({t.value(target.base)}, {t.value(target.key)}, {t.value(value)})")
        return True

    def _several_of(self, value: Expression, targets: tuple[Expression, ...]) -> bool:
        """As ``_several``, or by a plain call where the statement at hand has them."""
        t = self.t
        if not t.plainly or not isinstance(value, (Call, Invoke)):
            return self._several(value, targets)
        before = len(t.lines)
        try:
            if self._several(value, targets):
                return True
        except Undecided:
            del t.lines[before:]
        return plain_calls.several(t, (value,), targets)

    def _several(self, value: Expression, targets: tuple[Expression, ...]) -> bool:
        """``a[i], b[i] = f()``: what is appended has a name first. Whether the call gives several values."""
        named = {target: "" for target in targets if isinstance(target, Index)}
        with altered(self, _named=named):  # a function in the call's arguments has assignments of its own
            done = self.t.calls.several(value, targets)
            for target, name in named.items():
                if name:
                    self.t.emit(self.appended(target, name))
        return done

    def may_append(self, target: Expression) -> bool:
        if not isinstance(target, Index) or self.t.kind(target.base) != "table":
            return False
        tables = self.t.tables
        return tables.appends(target) or tables.perhaps_appends(target)

    def _may_be_outside(self, target: Expression) -> bool:
        """Whether a store may be at a place that a list has not: before its first, or behind its last.

        The list of a module's parts is PyTorch's own, for which a place behind its last is an error.
        """
        if not isinstance(target, Index) or self.t.kind(target.base) != "table":
            return False
        if self.t.representation(target.base) != "list" or tree_queries.is_last(target):
            return False
        bounds, is_held = self.t.list_bounds, self.t.type(target.base).has(HELD)
        return bounds.may_be_before(target) or (not is_held and bounds.may_be_new(target))

    def _may_lose_item(self, target: Index, value: Expression) -> bool:
        """Whether an item of a list may be given nil, which it cannot hold."""
        if self.t.kind(target.base) != "table" or self.t.representation(target.base) != "list":
            return False
        return may_be_missing(self.t, value)

    def appended(self, target: Index, value: Py | str, may_be_missing: bool = False) -> str:
        if self.t.tables.appends(target) and not may_be_missing:
            return f"{self.t.value(target.base).at(code.ATOM)}.append({value})"
        key = self.t.value(target.key)
        return f"{self.t.need('lua_put')}({self.t.value(target.base)}, {key}, {value})"

    def _appends_alone(self, targets: tuple[Expression, ...], values: tuple[Expression, ...]) -> bool:
        """Whether an assignment of several values appends to lists, and may be written one value after the other."""
        appending = [t for t in targets if isinstance(t, Index) and self.may_append(t)]
        if not appending:
            return False
        others = [t for t in targets if isinstance(t, Index) and t not in appending]
        if any(tree_queries.same_expression(t.base, a.base) for t in others for a in appending):
            raise Problem("T7-212", targets[0].line, "several places at the end of a list at once")
        stored = {n.name for t in targets for n in tree.walk(t) if isinstance(n, Name)}
        stored -= {t.key.name for t in appending if isinstance(t.key, Name)}
        read = [n for v in values for n in tree.walk(v)]
        if any(isinstance(n, Name) and n.name in stored for n in read) or any(
            isinstance(n, (Call, Invoke)) and self.t.types.function_called(n) for n in read
        ):
            raise Problem("T7-212", targets[0].line, "appending in an assignment of several values")
        return True

    def _independent(self, targets: tuple[Expression, ...], values: tuple[Expression, ...]) -> bool:
        """Whether no value reads what another target assigns."""
        names = {t.name for t in targets if isinstance(t, Name)}
        if any(not isinstance(t, Name) for t in targets):
            return False
        read = {n.name for v in values for n in tree.walk(v) if isinstance(n, Name)}
        calls = any(isinstance(n, (Call, Invoke)) for v in values for n in tree.walk(v))
        return not (names & read) and (not calls or True)

    def _into_objects(self, targets: tuple[Expression, ...], values: tuple[Expression, ...]) -> None:
        """Several values, among them fields of modules that are objects: all are computed before any is assigned."""
        t = self.t
        if not t.plainly:
            raise Undecided("T7-225", targets[0].line, "a field of a module that is an object")
        names = [t.fresh("value") for _ in targets]
        t.emit(f"{', '.join(names)} = {', '.join(t.value(value).text for value in values)}")
        for target, name in zip(targets, names, strict=True):
            if isinstance(target, Index) and t.path(target) is None:
                t.emit(plain_calls.store(t, target, atom(name)))
            else:
                t.emit(f"{t.target(target)} = {name}")

    def one(self, target: Expression, value: Expression, node: Statement) -> None:
        """One value, by a plain call where the statement at hand has them and the target declines."""
        t = self.t
        if isinstance(target, Index) and self._is_argument(target, value):
            return
        of_class = layer_classes.field_of_class(t, target)
        if of_class is not None:
            t.emit(plain_calls.library_call(t, "store_in_class", [*of_class, t.value(value).text]).text)
            return
        if isinstance(target, Index) and (t.path(target) or "").startswith("display."):
            return  # where pictures are shown, of which a page shows none
        if isinstance(target, Index) and t.plain_values and t.path(target) is None:
            t.emit(plain_calls.store(t, target, t.value(value)))
            return
        if not t.plainly or not isinstance(target, Index):
            self._one(target, value, node)
            return
        put_back = t.checkpoint()
        try:
            self._one(target, value, node)
        except Undecided:
            if t.path(target) is not None:
                raise
            put_back()
            t.emit(plain_calls.store(t, target, t.value(value)))

    def _is_argument(self, target: Index, value: Expression) -> bool:
        """Write ``arg[1] = value``, where that is one of the program's own arguments; whether it is."""
        t = self.t
        base = target.base
        if not (isinstance(base, Name) and base.name == "arg" and t.scopes.is_global(base, "arg")):
            return False
        place = target.key.value if isinstance(target.key, tree.Number) else 0
        may_be_nil = not isinstance(value, (tree.String, tree.Number)) and t.type(value).nil
        if place < 1 or place != int(place) or isinstance(value, tree.Nil) or may_be_nil:
            raise Problem("T7-303", target.line, "an assignment into the arguments of the program")
        t.imports.add("sys")
        t.emit(f"sys.argv[{int(place)}:{int(place) + 1}] = [{t.value(value)}]")
        return True

    def _one(self, target: Expression, value: Expression, node: Statement) -> None:
        if isinstance(value, tree.Function) and isinstance(target, Name):
            self.t.functions.define(self.t.names.of(target), value)
            return
        if isinstance(target, Index) and self.t.is_object(target.base):
            raise Undecided("T7-225", target.line, "a field of a module that is an object")
        if isinstance(target, Index):
            self.t.tables.refuse_call_site_table(target.base)
        if (
            isinstance(target, Index)
            and (
                self.may_append(target)
                or (self._may_be_outside(target) and not _reads(value, target))
                or self._may_lose_item(target, value)
            )
            and not self.t.classes.uses.entry(target)
            and not isinstance(value, tree.Nil)
        ):
            self.t.emit(self.appended(target, self.stored(target, value), may_be_missing(self.t, value)))
            return
        if isinstance(target, Index) and isinstance(value, tree.Nil) and self.t.kind(target.base) == "table":
            if tree_queries.is_last(target) and self.t.representation(target.base) == "list":
                last = "-1" if self.t.type(target.base).has(HELD) else ""
                self.t.emit(f"{self.t.value(target.base).at(code.ATOM)}.pop({last})")
                return
            if self.t.representation(target.base) in ("dict", "record"):
                key = indexing.key(self.t, target)
                self.t.emit(f"{self.t.value(target.base).at(code.ATOM)}.pop({key}, None)")
                return
            raise Problem("T7-305", node.line, "an entry of a list set to nil")
        if isinstance(target, Index) and isinstance(value, tree.Nil):
            self.t.classes.fields.refuse_uncovered(target)
        if isinstance(target, Index) and self.t.models.assign(target, value):
            return
        if isinstance(target, Index) and timers_and_paths.is_about_plots(self.t, target):
            return
        local = isinstance(node, tree.Local)  # `local x = x + 1` makes another x
        if local and self.t.depth and self.t.scope.function is not None and self._is_idle(target, value):
            return
        if isinstance(target, Index) and may_be_no_entry(self.t, target.base, value):
            base, key = self.t.value(target.base), indexing.key(self.t, target)
            self.t.emit(f"{self.t.need('lua_store')}({base}, {key}, {self.stored(target, value)})")
            return
        left = self.target(target)
        if isinstance(target, Index) and self.t.kind(target.base) == "storage" and not self.t.whole(value):
            self.t.emit(f"{left} = int({self.t.value(value)})")  # what a storage of whole numbers makes of it
            return
        text = None if local else self.augmented(target, left, value)
        if text is None:
            written = self.stored(target, value)
            plain_calls.note_result(self.t, target, written)
            text = f"{left} = {written}"
        self.t.emit(text)

    def _is_idle(self, target: Expression, value: Expression) -> bool:
        """Whether a local variable that nobody reads is given something that does nothing either."""
        if (
            not isinstance(target, Name)
            or self.t.unread(target) is None
            or self.t.scopes.of_name[target].writes
        ):
            return False
        return isinstance(value, (Invoke, Name, tree.Number, tree.String)) and all(
            isinstance(n, (Name, tree.Number, tree.String))
            or (isinstance(n, Invoke) and n.method in _CHANGE_NOTHING and self.t.kind(n.receiver) == "tensor")
            for n in tree.walk(value)
        )

    def augmented(self, target: Expression, left: str, value: Expression) -> str | None:
        """``x += y`` for ``x = x + y``."""
        value = tree_queries.bare(value)
        if not isinstance(value, tree.Binary) or value.operator not in ("+", "-", "*", "/", ".."):
            return None
        if not same_expression(target, value.left) or not isinstance(target, (Name, Index)):
            return None
        if self.t.kind(target) not in ("number", "string"):
            return None  # x += y changes a tensor in place
        if value.operator == "..":
            if self.t.kind(value.left) != "string":
                return None
            right = value.right
            if isinstance(right, tree.Binary) and right.operator == "..":
                return f"{left} += {text.concatenation(self.t, right)}"
            return f"{left} += {text.text(self.t, right, nil=False)}"
        if self.t.kind(value.left) == "string":  # it becomes a number
            return None
        write = self.t.expressions.graph if self.keeps(target) else self.t.expressions.number
        if value.operator in "/*" and not self.keeps(target):
            whole = self.t.value(value)
            if whole.text.startswith("lua_divide("):
                return f"{left} = {whole}"
            if self.t.integers.overflows(value):
                return (
                    f"{left} *= {whole.text.removeprefix(self.t.value(value.left).text).removeprefix(' * ')}"
                )
        right_py = write(value.right)
        if value.operator == "-" and right_py.level <= code.ADD:
            return f"{left} -= {right_py}"
        return f"{left} {value.operator}= {right_py}"

    def keeps(self, target: Expression) -> bool:
        return isinstance(target, Name) and self.t.scopes.of_name[target] in self.t.graph_variables

    def stored(self, target: Expression, value: Expression) -> Py:
        """A value as a target keeps it: with its graph, without, or cut off from it."""
        into_tensor = isinstance(target, Index) and self.t.kind(target.base) == "tensor"
        if into_tensor and self.t.kind(value) == "string":
            return self.t.expressions.number(value)
        with self.t.models.changed(value, target):
            written = self.t.expressions.graph(value) if self.keeps(target) else self.t.value(value)
        if isinstance(target, Index) and into_tensor and self.t.kind(value) == "tensor":
            written = self.t.models.origins.cut(value, written)
            part = indexing.tensor_index
            fitted = tensors.fitted(
                self.t, target, value, written, lambda: part(self.t, target, assigned=True).text
            )
            if fitted is not written:
                return fitted
        return self.t.training.carried.cut(target, value, written)

    def target(self, node: Expression) -> str:
        if isinstance(node, Name):
            variable = self.t.scopes.of_name[node]
            if variable in self.t.module_level and not self.t.modules.at_module_level(variable):
                raise Problem("T7-213", node.line, f"{node.name} is assigned again")
            return self.t.names.of(node)
        assert isinstance(node, Index)
        if node in self._named and self.may_append(node):
            name = self._named[node] = self.t.fresh("value")
            return name
        entry = self.t.classes.uses.entry(node)
        if entry is not None:
            return entry.text
        setting = settings.settings_field(self.t, node)
        if setting is not None:
            return setting
        kind = self.t.kind(node.base)
        self.t.tables.refuse_call_site_table(node.base)
        if kind == "tensor":
            with self.t.models.changed(node):
                return indexing.tensor_index(self.t, node, assigned=True).text
        if kind == "table":
            base = self.t.value(node.base).at(code.ATOM)
            representation = self.t.representation(node.base)
            name = node.key.value if isinstance(node.key, tree.String) else ""
            if representation == "options" and name and code.attribute_name(name) == name:
                return f"{base}.{name}"
            if representation == "options":
                return f"vars({self.t.value(node.base)})[{indexing.option_name(self.t, node)}]"
            if representation == "list":
                return f"{base}[{indexing.list_position(self.t, node)}]"
            return f"{base}[{indexing.key(self.t, node)}]"
        if kind == "pointer":
            return memory.element(self.t, node, stored=True).text
        if kind == "storage":
            return f"{self.t.value(node.base).at(code.ATOM)}[{self.t.expressions.position(node.key)}]"
        setting_of_module = self.t.models.setting(node)
        if setting_of_module is not None:
            return setting_of_module
        if self.t.models.is_program_field(node) and isinstance(node.key, tree.String):
            return f"{self.t.value(node.base).at(code.ATOM)}.{code.attribute_name(node.key.value)}"
        if indexing.is_attribute(self.t, node) and isinstance(node.key, tree.String):
            return self.t.classes.uses.field(node).text
        raise undecided(
            self.t, node.base, "T7-303", node.line, f"an assignment into {described(self.t, node.base)}"
        )


def _reads(value: Expression, target: Expression) -> bool:
    """``t[i] = t[i] + 1``: there is something at the place."""
    return any(isinstance(node, Index) and same_expression(node, target) for node in tree.walk(value))


def _fields_first(
    targets: tuple[Expression, ...], values: tuple[Expression, ...]
) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """``k, t[k] = 2, 10`` stores into the place that k was before: in Python the variables must come last."""
    names = {target.name for target in targets if isinstance(target, Name)}
    fields = [target for target in targets if isinstance(target, Index)]
    used = {n.name for target in fields for n in tree.walk(target) if isinstance(n, Name)}
    if not names & used:
        return targets, values
    pairs = sorted(zip(targets, values, strict=True), key=lambda pair: isinstance(pair[0], Name))
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
