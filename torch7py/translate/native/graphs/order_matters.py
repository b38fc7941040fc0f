"""Whether a program does something that hangs on the order in which a model has its layers and parameters."""

from __future__ import annotations

from collections.abc import Iterator

from torch7py.translate import library, tree
from torch7py.translate.facts.methods import DRAWING
from torch7py.translate.native import flat_parameters, initialization
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Invoke, Name

__all__ = ["order_matters"]

# Methods of flat vectors that give the same for their elements in any order, and those that change all of them alike.
_ANY_ORDER = set("dim mean nElement nDimension norm numel size std sum var".split())
_ALIKE = {*initialization.ALIKE, *"abs add addcdiv addcmul cdiv clamp cmul copy div pow sqrt".split()}
_ONLY_WHOLE = {"max", "min"}  # these too, where they are asked for the one element
_FUNCTIONS = {f"torch.{name}" for name in ("max", "mean", "min", "norm", "std", "sum", "var")}
_DRAWING = {"math.random", *(f"torch.{name}" for name in ("rand", "randn", "randperm", *DRAWING))}


def order_matters(t: Translation) -> bool:
    """Whether a program uses flat vectors by place, numbers parameters, or counts or draws layer by layer."""
    return _Order(t).matters()


class _Order:
    def __init__(self, t: Translation) -> None:
        self.t = t
        self.above: dict[tree.Node | Block, tree.Node | Block] = {}
        for node in tree.walk(t.program):
            self.above.update((child, node) for child in tree.children(node))
        vectors = t.training.vectors
        # Where the program names a flat vector, and whose it is; None where optim hands on whichever it has.
        self.vectors: dict[Expression, Expression | None] = {
            n: vectors.module_of[statement]
            for holder, statement in vectors.flattened_at.items()
            for n in t.training.holders.uses(holder)
        }
        self.vectors.update((n, None) for parameter in self._of_closures() for n in parameter.reads)

    def matters(self) -> bool:
        if flat_parameters.has_settings_by_element(self.t):
            return any(node.method == "getParameters" for node in tree.every(self.t.program, Invoke))
        # What is known by what it does asks for the parameters of several models, only to lay or share all of them.
        known = {node for function in self.t.types.known for node in tree.walk(function.body)}
        return any(self._by_place(node) for node in self.vectors) or any(
            node not in known and self._asks(node) for node in tree.every(self.t.program, Invoke)
        )

    def _of_closures(self) -> Iterator[Variable]:
        """The weights that optim hands to its functions."""
        for node in tree.every(self.t.program, Call):
            if node.arguments and self._optimizes(node):
                for function in self.t.type(node.arguments[0]).functions:
                    if function.parameters:
                        yield self.t.scopes.of_name[function.parameters[0]]

    def _optimizes(self, node: Call) -> bool:
        path = self.t.path(node.callee) or ""
        return path.startswith("optim.") or self.t.type(node.callee).has("optimizer")

    def _by_place(self, node: Expression) -> bool:
        """Whether what is done with a flat vector may hang on where in it an element is."""
        user = self.above[node]
        if isinstance(user, tree.Assignment):
            return node not in user.targets
        if isinstance(user, Invoke):
            if user.method in _ONLY_WHOLE:
                return bool(user.arguments)
            if not all(self._is_alike(argument, node) for argument in user.arguments):
                return True
            if user.method in _ALIKE:  # which gives the vector
                is_one = user.receiver is node or user.receiver in self.vectors
                return not is_one or self._by_place(user)
            return user.method not in _ANY_ORDER
        if isinstance(user, Call):
            path = self.t.path(user.callee) or ""
            return not self._optimizes(user) and not (path in _FUNCTIONS and self._is_whole(user))
        if isinstance(user, tree.Binary):
            return user.operator not in ("==", "~=")
        return not isinstance(user, (tree.Return, tree.Run, tree.Function))

    def _is_whole(self, node: Call) -> bool:
        return len(node.arguments) == 1 or (self.t.path(node.callee) == "torch.norm")

    def _is_alike(self, argument: Expression, vector: Expression) -> bool:
        """Whether an argument is a number, or a vector of the same order."""
        if argument not in self.vectors:
            return argument is vector or self.t.kind(argument) == "number"
        one, other = self.vectors[argument], self.vectors.get(vector)
        return one is None or other is None or one is other or self._makers(one) == self._makers(other)

    def _makers(self, module: Expression) -> set[Call] | Expression:
        """Where the program makes a module, or itself where that is not known."""
        return {layer.call for layer in self.t.type(module).find().layers} or module

    def _asks(self, node: Invoke) -> bool:
        """Whether a call gives layers or parameters of which it matters which is where."""
        if self.t.kind(node.receiver) not in ("module", "any", None) or self.t.types.function_called(node):
            return False
        if node.method == "getParameters":
            user = self.above[node]
            return not isinstance(user, (tree.Assignment, tree.Run)) and self._by_place(node)
        if node.method == "apply":
            return any(
                self._counts(f.body, f.parameters) for a in node.arguments for f in self.t.type(a).functions
            )
        if node.method not in {"parameters", *library.MODULE_LISTS}:
            return False
        loop = self._loop_over(node)
        if loop is None or self.t.scopes.of_name[loop.names[0]].reads:
            return True
        return self._counts(loop.body, loop.names)

    def _loop_over(self, node: Invoke) -> tree.GenericFor | None:
        """The loop that goes through what a call gives."""
        user = self.above[node]
        loop = self.above[user]
        is_source = isinstance(user, Call) and self.t.path(user.callee) in ("ipairs", "pairs")
        return loop if is_source and isinstance(loop, tree.GenericFor) else None

    def _counts(self, body: Block, names: tuple[Name, ...]) -> bool:
        """Whether what is done to each of them hangs on which were before it."""
        own = {self.t.scopes.of_name[name] for name in names}
        for node in tree.walk(body):
            if isinstance(node, tree.Local):
                own.update(self.t.scopes.of_name[name] for name in node.names)
            elif isinstance(node, tree.Assign):
                if not all(self._mentions(target, own) for target in node.targets):
                    return True
            elif isinstance(node, tree.Run):
                if isinstance(node.call, Call) or not self._mentions(node.call.receiver, own):
                    return True
            elif isinstance(node, Call):
                if (self.t.path(node.callee) or "") in _DRAWING:
                    return True
            elif isinstance(node, (tree.Break, tree.Return)):
                return True
        return False

    def _mentions(self, node: Expression, variables: set[Variable]) -> bool:
        return any(self.t.scopes.of_name[n] in variables for n in tree.walk(node) if isinstance(n, Name))
