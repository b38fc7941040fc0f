"""Which expressions may name the same module, or one module and a part of it."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name
from torch7py.translate.tree_queries import same_expression

__all__ = ["Identity", "passes"]


def passes(module: Type) -> bool:
    """Whether a module gives what it is given, or a view of it."""
    layers = module.find().layers
    return bool(layers) and all(facts.is_view(layer.name) for layer in layers)


class Identity:
    def __init__(self, translator: Known) -> None:
        self.t = translator
        self._value_of: dict[Variable, Expression | None] = {}  # of variables that are given one value
        assignments = tree.every(translator.program, tree.Assignment)
        for statement in assignments:
            for index, target in enumerate(statement.targets):
                if isinstance(target, Name):
                    value = statement.values[index] if index < len(statement.values) else None
                    variable = translator.scopes.of_name[target]
                    self._value_of[variable] = None if variable in self._value_of else value
        self._parts: dict[Type, set[Type]] = {}
        self._called: set[Name] | None = None
        self._evaluates = any(n.method == "evaluate" for n in tree.every(translator.program, Invoke))
        # Lists of clones, one for each step (``outputs_across_steps.py``), and tables whose fields are such lists.
        self._steps: set[Type] = set()
        self._of_steps: set[Type] = set()
        for statement in assignments:
            for target, value in zip(statement.targets, statement.values, strict=False):
                if isinstance(target, Index) and self._is_clone_of_turn(target, value):
                    self._steps.add(translator.type(target.base))
                if isinstance(value, Call) and self._is_clones(value):
                    self._steps.add(translator.type(value))
                    if isinstance(target, Index):
                        self._of_steps.add(translator.type(target.base))

    def _is_clone_of_turn(self, target: Index, value: Expression) -> bool:
        """``cells[t] = cell:clone('weight', ...)``, by the variable of a loop."""
        shared = isinstance(value, Invoke) and value.method == "clone" and bool(value.arguments)
        of_loop = isinstance(target.key, Name) and self.t.scopes.of_name[target.key].kind == "loop"
        return shared and of_loop and self.t.kind(value) == "module"

    def _is_clones(self, call: Call) -> bool:
        types = self.t.types
        return any(types.known.get(function) == "clones" for function in types.function_called(call))

    def keeps_all(self, module: Expression) -> bool:
        """Whether a module gives each call an output of its own, or is one of the clones for a step."""
        if isinstance(module, Index):
            steps = module.base
            if self.t.type(steps) in self._steps:
                return True
            if isinstance(steps, Index) and self.t.type(steps.base) in self._of_steps:
                return True
        type_ = self.t.type(module)
        names = {layer.name for layer in type_.layers}
        return bool(names) and all(map(facts.by_step, names)) and not self._evaluates

    def is_indexed(self, module: Expression) -> bool:
        """Whether this is an element of a list of modules, another one at each place."""
        return isinstance(module, Index) and not isinstance(module.key, (tree.String, tree.Number))

    def resolved(self, module: Expression, bound: dict[Variable, Expression]) -> Expression:
        """What a name stands for: what a parameter is given, or what a variable was made equal to."""
        for _ in range(20):
            if isinstance(module, tree.Paren):
                module = module.inner
                continue
            if not isinstance(module, Name):
                break
            variable = self.t.scopes.of_name[module]
            value = bound.get(variable)
            if value is None and self._is_constant(variable):
                value = self._value_of.get(variable)
            if not isinstance(value, (Name, tree.Paren, Index)):
                break
            module = value
        return module

    def _is_constant(self, variable: Variable) -> bool:
        return len(variable.writes) == (1 if variable.is_global else 0) and variable.kind != "parameter"

    def _constructed_variable(self, module: Expression) -> Variable | None:
        """The variable, where it is given one module that is made for it."""
        if not isinstance(module, Name):
            return None
        variable = self.t.scopes.of_name[module]
        value = self._value_of.get(variable)
        if not self._is_constant(variable) or not isinstance(value, (Call, Invoke)):
            return None
        if isinstance(value, Invoke) and value.method not in ("add", "clone", "cuda", "double", "float"):
            return None
        return variable

    def writes_over(self, a: Expression, b: Expression) -> bool:
        """Whether a call of module ``b`` may write over an output of ``a``: they are one, or have a part alike."""
        if a is b:
            return True
        types = self.t.type(a), self.t.type(b)
        if self._is_independent_copy(a) or self._is_independent_copy(b):
            return False
        constructions = self._constructed_variable(a), self._constructed_variable(b)
        apart = None not in constructions and constructions[0] is not constructions[1]
        if types[0] is types[1]:
            return not apart and not self._different_fields(a, b)
        if any(not type_.layers and not type_.classes for type_ in types):  # unknown ones
            return not apart and not self._different_fields(a, b)
        return self._in(types[1], types[0]) or self._gives(types[0], types[1])

    def _is_independent_copy(self, module: Expression) -> bool:
        """Whether a module is a copy that shares nothing, and gets into no other one: it is only called and written."""
        if not isinstance(module, Name):
            return False
        variable = self.t.scopes.of_name[module]
        value = self._value_of.get(variable) if self._is_constant(variable) else None
        while isinstance(value, (Call, Invoke)):
            if isinstance(value, Invoke) and value.method == "clone" and not value.arguments:
                return self._only_called().issuperset(variable.reads)
            if isinstance(value, Invoke) and value.method in ("cuda", "double", "float"):
                value = value.receiver
            elif isinstance(value, Call) and self.t.path(value.callee) == "cudnn.convert" and value.arguments:
                value = value.arguments[0]
            else:
                return False
        return False

    def _only_called(self) -> set[Name]:
        """The names that stand where nothing keeps what they name."""
        if self._called is None:
            expressions: list[Expression] = []
            for node in tree.those(self.t.program, Call, Invoke):
                if isinstance(node, Invoke):
                    expressions.append(node.receiver)
                elif isinstance(node, Call) and (self.t.path(node.callee) or "") in ("print", "torch.save"):
                    expressions += node.arguments
            self._called = {node for node in expressions if isinstance(node, Name)}
        return self._called

    def _different_fields(self, a: Expression, b: Expression) -> bool:
        """``nets.a`` and ``nets.b``"""
        if not isinstance(a, Index) or not isinstance(b, Index) or not same_expression(a.base, b.base):
            return False
        constants = (tree.String, tree.Number)
        return (
            isinstance(a.key, constants)
            and isinstance(b.key, constants)
            and not same_expression(a.key, b.key)
        )

    def _gives(self, outer: Type, inner: Type) -> bool:
        """Whether the output of a module may be that of a part of it: of the last one, where they stand in a row."""
        waiting, seen = [outer], {outer}
        while waiting:
            for layer in waiting.pop().layers:
                parts = [part.find() for part in (*layer.children, *layer.slots)]
                if facts.is_chain(layer.name):
                    while len(parts) > 1 and passes(parts[-1]) and parts[-1] is not inner:
                        parts.pop()
                    parts = parts[-1:]
                if inner in parts:
                    return True
                waiting += [part for part in parts if part not in seen]
                seen.update(parts)
        return False

    def _in(self, outer: Type, inner: Type) -> bool:
        """Whether a module is a part of another one."""
        parts = self._parts.get(outer)
        if parts is None:
            waiting, parts = [outer], set()
            while waiting:
                for layer in waiting.pop().layers:
                    new = {part.find() for part in (*layer.children, *layer.slots)} - parts
                    parts |= new
                    waiting += new
            self._parts[outer] = parts
        return inner in parts
