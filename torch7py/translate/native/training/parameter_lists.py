"""``params, gradParams = model:parameters()``: the tensors one by one, as lists.

The weights are lists of ``p.data``: a program changes them in place. Gradients are asked for where they are used, as
PyTorch makes them anew.
"""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code, initialization
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.gradients import refuse_untouched
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.constructions import all_layers
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.sharing import Sharing
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Expression, Index, Invoke, Name, Statement

__all__ = ["ParameterLists"]

# Layers whose parameters have another order in PyTorch, or are other ones.
_OTHERS = re.compile("LSTM|GRU|MuFuRu|Recurr|BRNN|MapTable")


class ParameterLists:
    def __init__(self, t: Translation, training: Training) -> None:
        self.training, self.t, self.sharing = training, t, Sharing(t)
        self.at: dict[Statement, Invoke] = {}  # the statements that ask for them
        # The page's list that a variable is of, whether of weights or gradients, and the call that gave it.
        self.lists: dict[Variable, tuple[str, str, Invoke]] = {}

    def find(self) -> None:
        for statement in self.t.surroundings.owner:
            if isinstance(statement, tree.Assignment) and len(statement.values) == 1:
                (value,) = statement.values
                if isinstance(value, Invoke) and self.asks(value) and self._are_kept(statement.targets):
                    self.at[statement] = value
                    self._name(statement.targets, value)

    def asks(self, node: Invoke) -> bool:
        """Whether a call asks a module of nn's for its parameters."""
        plain = node.method == "parameters" and not node.arguments and self.t.kind(node.receiver) == "module"
        return plain and not self.t.types.function_called(node)

    def _are_kept(self, targets: tuple[Expression, ...]) -> bool:
        """Whether these are variables for nothing else, whose entries are not replaced."""
        variables = [self.t.scopes.of_name[x] for x in targets if isinstance(x, Name)]
        if len(variables) < len(targets) or len(targets) > 2:
            return False
        stored = [x for s in self.t.surroundings.owner if isinstance(s, tree.Assign) for x in s.targets]
        bases = {x.base for x in stored if isinstance(x, Index)}
        return all(
            len(self.training.holders.assigned(v)) == 1
            and v.kind != "parameter"
            and bases.isdisjoint(v.reads)
            for v in variables
        )

    def _name(self, targets: tuple[Expression, ...], asked: Invoke) -> None:
        first, *more = [self.t.scopes.of_name[x] for x in targets if isinstance(x, Name)]
        home = first.scope or self.t.scopes.main
        name = self.t.names.chosen.get(first, "_")
        if name == "_":
            name = self.t.names.fresh("parameters", home)
        self.lists[first] = name, "data", asked
        for other in more:
            self.lists[other] = name, "grad", asked

    def write(self, node: Statement) -> bool:
        """``params = list(model.parameters())``"""
        asked = self.at.get(node)
        if asked is None:
            return False
        assert isinstance(node, tree.Assignment)
        (first, *_) = node.targets
        assert isinstance(first, Name)
        name, *_ = self.lists[self.t.scopes.of_name[first]]
        # a layer without weights, that holds no others, gives nil
        none = " or None" if self._is_asked_for(first) and self._may_have_none(asked.receiver) else ""
        self.t.emit(f"{name} = {self._listed(asked)}{none}")
        return True

    def _is_asked_for(self, name: Name) -> bool:
        """Whether the program looks at whether a variable is nil."""
        reads = set(self.t.scopes.of_name[name].reads)
        compared = {
            side
            for node in tree.every(self.t.program, tree.Binary)
            if node.operator in ("==", "~=")
            for side in (node.left, node.right)
        }
        return self.t.type(name).has("tested") or not reads.isdisjoint(compared)

    def _may_have_none(self, module: Expression) -> bool:
        """Whether a module may be a layer without weights that holds no others."""
        type_ = self.t.type(module).find()
        names, parents = {layer.name for layer in type_.layers}, {c.parent or "" for c in type_.classes}
        known = names | parents
        if known and all(map(facts.may_weigh, names)) and all(map(self._surely_lists, type_.classes)):
            return False
        if not known or any(map(self._may_hold, known)):
            reason = "whether a module has parameters, which may hold others that have none"
            raise Problem("T7-227", module.line, reason)
        return True

    @staticmethod
    def _may_hold(name: str) -> bool:
        """Whether a layer holds others, so that it gives a list, even if it is empty."""
        return facts.is_container(name) or facts.parts(name) not in ("", "none")

    def _surely_lists(self, lua_class: LuaClass) -> bool:
        """Whether layers of a class have weights of their own, or of the layer that they derive from."""
        layer, parent = self.t.classes.layers.get(lua_class), lua_class.parent or ""
        has_own = layer is not None and bool(layer.parameters)
        return has_own or (not facts.is_base(parent) and facts.may_weigh(parent))

    def _listed(self, node: Invoke) -> str:
        initialization.refuse_masked_rows(self.t, "parameters", node.line)
        if self.sharing.may_share(node):  # listed for each module that has them, as in Torch7
            module = self.t.value(node.receiver).at(code.ATOM)
            return f"[p for _, p in {module}.named_parameters(remove_duplicate=False)]"
        counted = initialization.counted(self.t, f"{self.t.value(node.receiver).at(code.ATOM)}.parameters()")
        return counted if counted.startswith("[") else f"list({counted})"

    def _is_numbered(self, node: Expression) -> bool:
        """Whether a loop over the parameters looks at their numbers."""
        loops = (n for n in tree.every(self.t.program, tree.GenericFor) if node in tree.walk(n.values[0]))
        return any(self.t.scopes.of_name[loop.names[0]].reads for loop in loops)

    def _refuse_others(self, node: Invoke) -> None:
        names = {layer.name for layer in all_layers(self.t.type(node.receiver))}
        if "nn.gModule" in names:  # its layers are any of the program
            names.update(self.t.layer_names)
        if any(map(_OTHERS.search, names)):
            raise Problem("T7-227", node.line, "numbers of parameters, which have another order in PyTorch")

    def whole(self, node: Expression) -> Py | None:
        """One of the lists as a value."""
        if isinstance(node, Invoke):
            if not self.asks(node):
                return None
            if self._is_numbered(node):
                self._refuse_others(node)
            if self.t.representation(node) != "list":
                raise Problem("T7-227", node.line, "a list of parameters that is changed")
            parameters = re.sub(r"^list\((.*)\)$", r"\1", self._listed(node))
            return atom(f"[p.data for p in {parameters}]")
        entry = self._list_of(node)
        if entry is None:
            return None
        if self._is_numbered(node):
            self._refuse_others(entry[2])
        if entry[1] == "grad":
            refuse_untouched(self.t, node)
        return atom(f"[p.{entry[1]} for p in {entry[0]}]")

    def kept(self, node: Expression) -> Py | None:
        """The page's list itself, which may be None, as it is where the program asks whether it is nil."""
        entry = self._list_of(node)
        return None if entry is None else atom(entry[0])

    def _list_of(self, node: Expression) -> tuple[str, str, Invoke] | None:
        return self.lists.get(self.t.scopes.of_name[node]) if isinstance(node, Name) else None

    def length(self, node: Expression) -> Py | None:
        if isinstance(node, Invoke) and self.asks(node):
            self._refuse_others(node)
            return atom(f"len({self._listed(node)})")
        entry = self._list_of(node)
        if entry is None:
            return None
        self._refuse_others(entry[2])
        return atom(f"len({entry[0]})")

    def item(self, node: Index) -> Py | None:
        if isinstance(node.base, Invoke) and self.asks(node.base):
            self._refuse_others(node.base)
        entry = self._list_of(node.base)
        if entry is None:
            return None
        self._refuse_others(entry[2])
        if entry[1] == "grad":
            refuse_untouched(self.t, node)
        if self.t.kind(node.key) != "number":
            raise Problem("T7-227", node.line, "parameters by something else than their number")
        return atom(f"{entry[0]}[{self.t.expressions.position(node.key)}].{entry[1]}")
