"""What the fields of a layer that a program writes itself are, as its methods tell."""

from __future__ import annotations

import ast
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.layers.as_modules import DERIVED_FROM
from torch7py.translate.native import backward_methods
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.layer_fields import KEPT_BY_NN, LayerFields
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.tensors.overwriting import root_of, written_anew
from torch7py.translate.native.user_passes import has_user_passes
from torch7py.translate.patching import altered
from torch7py.translate.tree import Expression, Invoke, Name, String

__all__ = ["LayerStudy"]


@dataclass(eq=False)
class LayerStudy(LayerFields):
    """Finds which fields are parameters, gradients and temporaries, and refuses those that cannot be told."""

    t: Translation
    either: bool = False  # whether an input may be a table here and one tensor there

    def __post_init__(self) -> None:
        super().__post_init__()
        self.halves = [self.lua_class.methods[name] for name in BACKWARD if name in self.lua_class.methods]
        self.user_passes = has_user_passes(self.lua_class)
        if self.user_passes:
            self.halves = []  # methods like others
        if "backward" in self.lua_class.methods and backward_methods.lead_to_backward(
            self.t, self, self.halves[1:]
        ):
            del self.halves[1:]
        self.entries = {name: self._count_entries(name) for name in sorted(KEPT_BY_NN)}
        self._find_parameters()
        self.by_hand = bool(self.halves) and not all(self._delegates(half) for half in self.halves)
        self.inherits = self.lua_class.parent in DERIVED_FROM
        if self.inherits and self.forward is not None:
            self.by_hand = True  # with the parent's gradients, whatever the forward does
        used_gradients = {name for half in self.halves for name in self.fields_of(half.body)} & set(
            self.gradients
        )
        # Else the parent's halves are those that know.
        weights = self.parameters if used_gradients or not self.inherits else []
        self.handed = list(weights)
        if self.by_hand:
            backward_methods.find_short_names(self)
        self._find_temporaries()
        backward_methods.name_as_fields(self)

    def _find_parameters(self) -> None:
        method = self.lua_class.methods.get("parameters")
        if method is not None:
            last = method.body.statements[-1] if len(method.body.statements) == 1 else None
            if isinstance(last, tree.Return):
                lists = [
                    [self.self_field(i.value) for i in v.fields]
                    for v in last.values
                    if isinstance(v, tree.Table)
                ]
                if (
                    len(lists) == len(last.values) == 2
                    and len(lists[0]) == len(lists[1])
                    and None not in lists[0] + lists[1]
                ):
                    self.parameters = [str(name) for name in lists[0]]
                    self.gradients = {str(g): str(p) for p, g in zip(*lists, strict=True)}
                    return
                first = last.values[0] if len(last.values) == 1 else None
                if isinstance(first, Invoke) and first.method == "parameters":
                    return  # those of a layer inside
            if self._only_gathers(method):
                return
            raise Problem("T7-243", method.line, "parameters() that does not say which they are")
        if self.lua_class.parent in DERIVED_FROM and facts.may_weigh(self.lua_class.parent):
            self.parameters = ["weight", "bias"]
            self.gradients = {"gradWeight": "weight", "gradBias": "bias"}
            return
        start = self.lua_class.methods.get("__init")
        if start is None:
            return
        for statement in start.body.statements:
            for target in statement.targets if isinstance(statement, tree.Assign) else ():
                name = self.self_field(target)
                if name in ("weight", "bias") and self.t.kind(target) == "tensor":
                    self.parameters.append(name)
                    self.gradients[f"grad{name.capitalize()}"] = name

    def _only_gathers(self, method: tree.Function) -> bool:
        """Whether ``parameters`` puts together those of the layers inside, and has none of its own."""
        asked = False
        for node in tree.walk(method.body):
            if isinstance(node, Invoke) and node.method == "parameters":
                asked = True
            name = self.self_field(node)
            if name is not None and self.t.kind(node) != "module":  # type: ignore[arg-type]
                return False
        return asked

    def _delegates(self, half: tree.Function) -> bool:
        """Whether a backward half only calls those of layers inside, and passes on what they give."""
        passed = {self.t.scopes.of_name[p] for p in half.parameters[1:]}
        calls = 0
        for statement in half.body.statements:
            if isinstance(statement, tree.Return):
                values: tuple[Expression, ...] = statement.values
            elif isinstance(statement, tree.Assignment):
                values = statement.values
                if isinstance(statement, tree.Local):
                    passed |= {self.t.scopes.of_name[name] for name in statement.names}
            elif isinstance(statement, tree.Run):
                values = (statement.call,)
            else:
                return False
            for value in values:
                if self.self_field(value) == "gradInput" or (
                    isinstance(value, Name) and self.t.scopes.of_name[value] in passed
                ):
                    continue
                if not (isinstance(value, Invoke) and value.method in BACKWARD):
                    return False
                if self.t.kind(value.receiver) != "module" or self.is_self(value.receiver):
                    return False
                gradient = value.arguments[1] if len(value.arguments) > 1 else None
                known = self.self_field(gradient) == "gradInput" if gradient is not None else False
                if not known and not (
                    isinstance(gradient, Name) and self.t.scopes.of_name[gradient] in passed
                ):
                    return False
                calls += 1
        return calls > 0

    def _find_temporaries(self) -> None:
        if self.forward is None and not (self.inherits and self.by_hand):
            return
        seen = self.read_outside()
        if self.by_hand:
            if self.forward is not None:
                self.temporary |= self.set_before_read(self.forward) - set(self.parameters)
            for half in self.halves:
                self.temporary |= self.set_before_read(half) - set(self.parameters)
            self.temporary -= set(self.gradients)
        elif self.forward is not None:
            outside = self._fields_in([f for f in self.lua_class.methods.values() if f is not self.forward])
            self.temporary |= self.set_before_read(self.forward) - outside - set(self.parameters)
        self.temporary -= seen
        self.temporary |= KEPT_BY_NN
        self.temporary |= {f"{name}{n}" for name, count in self.entries.items() for n in range(1, count + 1)}

    def read_outside(self) -> set[str]:
        """The fields that the program, or a method that computes nothing, asks a layer for: they stay in it."""
        computing = {*self.halves, self.forward, self.lua_class.methods.get("__init")}
        inside = {n for f in computing if f is not None for n in tree.walk(f.body)}
        fields: set[str] = set()
        for node in self.t.classes.fields_asked.get(self.lua_class, ()):
            if isinstance(node.key, String) and node not in inside:
                fields.add(node.key.value)
        return fields - KEPT_BY_NN

    def _fields_in(self, functions: list[tree.Function]) -> set[str]:
        start = self.lua_class.methods.get("__init")
        fields: set[str] = set()
        for function in functions:
            if function is start or function in self.halves:
                continue
            fields |= {name for n in tree.walk(function.body) if (name := self.self_field(n)) is not None}
        return fields

    def set_before_read(self, function: tree.Function) -> set[str]:
        """The fields that a method gives a value before it reads them."""
        seen: set[str] = set()
        fields: set[str] = set()
        for statement in function.body.statements:
            reads: list[str] = []
            sets: list[str] = []
            if self.is_lazy_buffer(statement):
                continue
            if isinstance(statement, tree.Assign):
                for target in statement.targets:
                    name = self.self_field(target)
                    if name is not None:
                        sets.append(name)
                    else:
                        reads += self.fields_of(target)
                for value in statement.values:
                    reads += self.fields_of(value)
            elif (chain := backward_methods.chain(statement)) is not None:
                name = self.self_field(root_of(chain))
                if name is not None and self.overwrites(chain):
                    sets.append(name)
                    link: Expression = chain
                    while isinstance(link, Invoke):
                        for argument in link.arguments:
                            reads += self.fields_of(argument)
                        link = link.receiver
                else:
                    reads += self.fields_of(statement)
            elif isinstance(statement, tree.Local):
                reads += [n for v in statement.values if v not in self.named_short for n in self.fields_of(v)]
            else:
                reads += self.fields_of(statement)
            seen.update(reads)
            fields |= {name for name in sets if name not in seen}
            seen.update(sets)
        return fields

    @cached_property
    def remembers_output(self) -> bool:
        return backward_methods.remembers_output(self, self.overwrites)

    def refuse_unset(self, lines: list[str]) -> None:
        """Refuse methods that use what the last call left in a field which here is a variable of each call."""
        field_names = {self.local(name): name for name in (*self.temporary, *KEPT_BY_NN)}
        for name in sorted(unset(lines, set(field_names))):
            raise Problem(
                "T7-243",
                self.lua_class.statement.line,
                f"{self.lua_class.name} uses self.{field_names[name]} before it sets it",
            )

    def is_lazy_buffer(self, statement: tree.Statement) -> bool:
        """``self.eps = self.eps or input.new()``: a buffer, which is overwritten."""
        if not isinstance(statement, tree.Assign) or len(statement.targets) != 1:
            return False
        value = statement.values[0]
        name = self.self_field(statement.targets[0])
        is_buffer = (
            isinstance(value, tree.Binary) and value.operator == "or" and self.self_field(value.left) == name
        )
        return is_buffer and name is not None

    def read(self) -> set[str]:
        """The fields that the computing methods read, and do not only set."""
        fields: set[str] = set()
        for function in [*([self.forward] if self.forward is not None else []), *self.halves]:
            targets: set[tree.Node] = set()
            for node in tree.walk(function.body):
                if isinstance(node, tree.Assign):
                    targets |= {target for target in node.targets if self.self_field(target) is not None}
                elif node not in targets:
                    name = self.self_field(node)
                    if name is not None:
                        fields.add(name)
        return fields

    def overwrites(self, node: Invoke) -> bool:
        first: Expression = node
        while isinstance(first, Invoke) and isinstance(first.receiver, Invoke):
            first = first.receiver
        assert isinstance(first, Invoke)
        if first.method in ("resizeAs", "resize"):
            return True
        return (
            written_anew(
                self.t, Invoke(first.span, first.receiver, first.method, first.arguments, first.span)
            )
            is not None
        )

    def _as_tensors(self, node: tree.Block) -> AbstractContextManager[None]:
        """What is a number in Lua stays a tensor with its graph."""
        expressions = {n for n in tree.walk(node) if isinstance(n, Expression)}
        return altered(self.t, raw_elements=self.t.raw_elements | expressions)

    # The names of its inputs in its function: a table is spread out, as autograd sees tensors only.

    def spread_out(self, name: str) -> str:
        """A name among values: a table of inputs is spread out."""
        return f"*{self._inputs}" if name == self.spread else name

    @property
    def _inputs(self) -> str:
        """The name of the tensors that the function is handed for a table of inputs."""
        return self._free("inputs") if self.either else self.spread

    def _may_be_a_table(self, input_name: Name) -> bool:
        """Whether an input is a table of tensors here and one tensor there."""
        input_type = self.t.type(input_name).find()
        if "table" not in input_type.kinds or len(input_type.kinds) < 2:
            return False
        tables = [source.find() for source in input_type.sources if "table" in source.find().kinds]
        plain = input_type.kinds == {"table", "tensor"} and bool(tables)
        plain = plain and all(table.of_elements().kind == "tensor" for table in tables)
        if not plain or self.forward is None or self.lua_class.instance.kind == "criterion":
            raise Problem(
                "T7-243", input_name.line, "gradients of an input that may be a table or something else"
            )
        return True

    @property
    def _is_table(self) -> str:
        """The name of the truth value that says whether the inputs are a table."""
        return self._free("several")

    def _free(self, name: str) -> str:
        """A name that no variable of the methods that compute has, nor a field that is one there."""
        fields = {self.local(field) for field in (*self.temporary, *self.handed, *self.gradients)}
        candidate = self.local(name)
        while candidate in fields:
            candidate += "_"
        return candidate

    def _either(self, several: str) -> str:
        """The statement that gives the input back what the layer was given."""
        return f"{self.spread} = {self._inputs} if {several} else {self._inputs}[0]"


def unset(lines: list[str], names: set[str]) -> set[str]:
    """Which of these names, variables of the methods in some lines, a method reads before it sets them, or never does.

    Where a statement of the method has no translation, that is why.
    """
    first = next((line for line in lines if line.strip()), "")
    text = "\n".join(["if True:", *lines] if first.startswith(" ") else lines)
    unset_names: set[str] = set()
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            inside = list(ast.walk(function))
            used = [node for node in inside if isinstance(node, ast.Name)]
            if any(node.id == "NotImplementedError" for node in used):
                continue
            binding_lines = {node.arg: 0 for node in inside if isinstance(node, ast.arg)}
            for node in used:
                if not isinstance(node.ctx, ast.Load):
                    binding_lines[node.id] = min(binding_lines.get(node.id, node.lineno), node.lineno)
            unset_names |= {
                node.id for node in used if node.lineno < binding_lines.get(node.id, node.lineno + 1)
            }
    return unset_names & names
