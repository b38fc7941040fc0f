"""Objects that the pages' library has: files of numbers and of objects, and pools of threads."""

from __future__ import annotations

from torch7py.ops.types import NUMBER_TYPES
from torch7py.translate import tree
from torch7py.translate.inference.state import Inference
from torch7py.translate.kinds import Type, unify
from torch7py.translate.tree import Call, Expression, Invoke

__all__ = ["FILE", "MAKERS", "METHODS", "OF_NUMBERS", "POOL", "ObjectKinds", "guess"]

FILE, POOL = "torch file", "thread pool"  # the kinds

MAKERS = {"torch.MemoryFile": FILE, "threads": POOL, "threads.Threads": POOL}

_READ_AND_WRITTEN = {f"{verb}{kind.name}" for verb in ("read", "write") for kind in NUMBER_TYPES}
_WHOLE = {f"read{kind}" for kind in ("Byte", "Char", "Short", "Int", "Long")}
# Methods that give the file itself.
_GIVING_ITSELF = set(
    "ascii binary clearError quiet pedantic seek seekEnd synchronize"
    " littleEndianEncoding bigEndianEncoding nativeEndianEncoding".split()
)
# What only the methods of files of numbers tell of what has them.
OF_NUMBERS = _READ_AND_WRITTEN | {"readObject", "writeObject"}
# The methods of each kind, and how many arguments each takes.
METHODS = {
    FILE: {
        **dict.fromkeys(_READ_AND_WRITTEN | {"readString", "writeString", "writeObject", "seek"}, 1),
        **dict.fromkeys(
            _GIVING_ITSELF - {"seek"} | {"close", "hasError", "position", "readObject", "storage"}, 0
        ),
    },
    POOL: {
        **dict.fromkeys("acceptsjob dojob haserror hasjob synchronize terminate".split(), 0),
        "specific": 1,
        "addjob": 100,
    },
}
_TRUTHS = {"acceptsjob", "hasError", "haserror", "hasjob", "specific"}


def guess(node: Invoke, receiver: Type) -> bool:
    """Whether a value of which nothing else is known is a file, as its methods say."""
    root = receiver.find()
    return root.kind is None and not root.fields and node.method in OF_NUMBERS and root.be(FILE)


class ObjectKinds:
    """What their methods give, and what a pool gives the functions that are its jobs."""

    def __init__(self, inference: Inference) -> None:
        self.inference, self.types = inference, inference.types
        self._bound: set[tuple[Expression, tree.Function]] = set()

    def method(self, node: Invoke, receiver: Type, result: Type) -> bool:
        """What a method gives."""
        method = node.method
        if method in _TRUTHS:
            return result.be("boolean")
        if receiver.kind == POOL:
            return method == "addjob" and self._job(node)
        if method in _GIVING_ITSELF:
            return unify(result, receiver)
        if method == "position" or (method in _READ_AND_WRITTEN and not node.arguments):
            return result.be("number") | ((method in _WHOLE or method == "position") and result.mark("whole"))
        return method == "readString" and result.be("string")

    def started(self, node: Call, functions: list[Type]) -> bool:
        """The functions that a pool begins with in each thread are given the thread's number."""
        news = False
        for expression, function_type in zip(node.arguments[1:], functions[1:], strict=True):
            for function in function_type.find().functions:
                news |= self._is_new(expression, function, (node,))
                for parameter in function.parameters[:1]:
                    number = self.inference.name_type(parameter)
                    news |= number.be("number") | number.mark("whole")
        return news

    def _job(self, node: Invoke) -> bool:
        """``pool:addjob(job, callback, ...)``: the job is given what follows, and the callback what the job gives."""
        first = node.arguments[0] if node.arguments else None
        by_thread = first is not None and self.types.kind(first) == "number"
        nothing = tree.Nil(node.span)
        job, callback, *others = (*node.arguments[by_thread:], nothing, nothing)
        news = False
        for function in self.types.of(job).find().functions:
            if self._is_new(job, function, tuple(others)):
                news = True
                for parameter, argument in zip(function.parameters, others, strict=False):
                    unify(self.inference.name_type(parameter), self.types.of(argument))
            returns = self.types.returns.get(function)
            for taking in self.types.of(callback).find().functions:
                # what it is given is in no expression of the program: the call stands for each of the values
                news |= self._is_new(callback, taking, (node,) * len(taking.parameters))
                for position, parameter in enumerate(taking.parameters if returns is not None else ()):
                    assert returns is not None
                    news |= unify(self.inference.name_type(parameter), returns.at(position))
        return news

    def _is_new(self, callee: Expression, function: tree.Function, arguments: tuple[Expression, ...]) -> bool:
        """Note that a function is called so; whether that is news."""
        if (callee, function) in self._bound:
            return False
        self._bound.add((callee, function))
        self.types.calls_of.setdefault(function, []).append(Call(callee.span, callee, arguments))
        return True
