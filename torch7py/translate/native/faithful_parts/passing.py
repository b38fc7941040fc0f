"""What may pass between the native and the faithful style, being the same object in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.ops.registry import operations
from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.library import TENSOR_TYPES
from torch7py.translate.native.whole_tensors import elements
from torch7py.translate.native.wholes import returns_of
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = [
    "DRAWING",
    "EXCHANGED",
    "EXCLUDED",
    "LIBRARIES",
    "Passing",
    "Refused",
    "is_allowed",
    "is_callable",
    "is_exchanged",
]

EXCHANGED = {"number", "string", "boolean", "tensor"}
# Functions of Lua's that depend on their arguments alone, or change nothing but what they are given.
LIBRARIES = {"string", "math", "table", "bit", "coroutine", "torch"}
FUNCTIONS = set(
    """assert error ipairs getmetatable next pairs pcall print rawequal rawget rawset select setmetatable tonumber
    tostring type unpack""".split()
)
# What draws from Torch7's random stream, of which a native page has none, or is about the program as a whole.
EXCLUDED = set(
    """math.random math.randomseed torch.manualSeed torch.seed torch.initialSeed torch.getRNGState torch.setRNGState
    torch.random torch.uniform torch.normal torch.bernoulli torch.exponential torch.cauchy torch.geometric
    torch.logNormal torch.rand torch.randn torch.randperm torch.multinomial torch.load torch.save torch.class
    torch.setdefaulttensortype torch.setnumthreads torch.CmdLine torch.Timer torch.DiskFile torch.MemoryFile
    torch.PipeFile torch.Generator torch.tic torch.toc torch.include torch.serialize torch.deserialize
    torch.data torch.pointer torch.pushudata torch.factory torch.getmetatable""".split()
)
DRAWING = set(
    "random uniform normal bernoulli exponential cauchy geometric logNormal randperm rand randn multinomial".split()
)


def is_exchanged(t: Translator, node: Expression) -> bool:
    """Whether a value is the same object in both styles, and of the kind that it is taken for."""
    while isinstance(node, tree.Paren):
        node = node.inner
    if isinstance(node, tree.Binary) and node.operator in ("and", "or"):
        # false and 1 is false, and no number
        false = node.operator == "and" and t.kind(node.left) == "boolean" and t.kind(node.right) != "boolean"
        sides = [node.right] if node.operator == "and" else [_second(node.left), node.right]
        return not false and all(is_exchanged(t, side) for side in sides)
    return t.kind(node) in EXCHANGED or isinstance(node, tree.Nil)


def _second(node: Expression) -> Expression:
    """b of ``a and b``, which is what ``a and b or c`` gives first."""
    while isinstance(node, tree.Paren):
        node = node.inner
    return node.right if isinstance(node, tree.Binary) and node.operator == "and" else node


def _is_used(t: Translator, name: Name) -> bool:
    variable = t.scopes.of_name[name]
    return bool(variable.reads or variable.writes)


def is_allowed(path: str) -> bool:
    library, _, name = path.partition(".")
    if not name:
        return path in FUNCTIONS or path in LIBRARIES
    if library == "torch" and name not in operations and path not in TENSOR_TYPES:
        return False  # it is not there: not translated, rather than an error of a page that counts as whole
    return library in LIBRARIES and path not in EXCLUDED


# Statements that are written otherwise than in a faithful page


class Refused(Exception):
    """Something would pass between the styles that each has in its own way."""


def is_callable(t: Translator, variable: Variable, function: tree.Function) -> bool:
    """Whether native statements can call a faithful function: it takes and gives what both styles have."""
    returns = t.types.returns[function]
    if len(variable.writes) > (1 if variable.is_global else 0) or function.vararg:
        return False
    if len(returns.counts) > 1 or returns.falls_off:
        return False
    scope = t.scopes.of_function[function]
    if scope in t.training.steps or function in t.training.losses.graph_functions:
        return False
    if function in t.training.closures or any(
        t.training.is_weights(function, p) for p in function.parameters
    ):
        return False
    if any(t.kind(parameter) not in EXCHANGED for parameter in function.parameters if _is_used(t, parameter)):
        return False
    for node in returns_of(function):
        if any(not is_exchanged(t, value) or elements(t, value) == "mask" for value in node.values):
            return False
        last = node.values[-1] if node.values else None
        if isinstance(last, (Call, Invoke)) and (t.calls.gives_two(last) or t.calls.count(last) > 1):
            return False
    return True


class Passing:
    """What is known of the types and tensors of a program that may pass, or not."""

    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self._spans: dict[Type, tuple[int, int]] | None = None
        self._has_layers: bool | None = None

    def span(self, found: Type) -> tuple[int, int]:
        """From where to where the expressions of a type stand."""
        if self._spans is None:
            self._spans = {}
            for node, known in self.t.types.by_node.items():
                root = known.find()
                first, last = self._spans.get(root, (node.place.start, node.place.end))
                self._spans[root] = (min(first, node.place.start), max(last, node.place.end))
        return self._spans.get(found.find(), (0, 0))

    def may_have_graph(self, node: Expression, seen: set[Variable] | None = None) -> bool:
        """Whether a tensor may be what a layer computes, or a part of its weights: gradients would end here.

        ``seen``: the variables that were looked at for the same question.
        """
        seen = set() if seen is None else seen
        if self._has_layers is None:
            types = self.t.types
            self._has_layers = any(made.parent is not None for made in types.classes.values()) or any(
                found.kind in ("module", "criterion") for found in types.by_node.values()
            )
        if not self._has_layers:
            return False
        for part in tree.walk(node):
            if not isinstance(part, Expression) or self.t.kind(part) not in (
                "tensor",
                "module",
                "criterion",
                None,
            ):
                continue
            if self.t.kind(part) in ("module", "criterion"):
                return True
            if isinstance(part, Index) and self.t.kind(part.base) != "tensor" and self.t.path(part) is None:
                return True  # from a table: it is not followed
            if isinstance(part, Name):
                variable = self.t.scopes.of_name[part]
                sources = self.t.wholes.sources(variable)
                if variable.is_global and not variable.writes:
                    continue  # a library
                if variable in seen:
                    continue
                seen.add(variable)
                if not sources or any(
                    isinstance(source, bool) or self.may_have_graph(source, seen) for source in sources
                ):
                    return True
        return False
