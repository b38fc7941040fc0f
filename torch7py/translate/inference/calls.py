"""Calls: of the program's own functions, of libraries, and of methods."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from torch7py.translate import library, tree
from torch7py.translate.kind_rules import (
    be_rank,
    counted,
    keeps_rank,
    output_kind,
    same_rank,
    tensor_method,
    tensor_of,
)
from torch7py.translate.kinds import Description, LuaClass, Type, unify
from torch7py.translate.library import FUNCTION_RESULTS, is_criterion
from torch7py.translate.tree import Call, Expression, Index, Invoke, same_expression

if TYPE_CHECKING:
    from torch7py.translate.inference.statements import Inference

__all__ = ["CallKinds"]


class CallKinds:
    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.types = inference.types
        self.options: dict[str, Type] = {}  # of torch.CmdLine, and their defaults
        self.saved: list[tuple[Expression, Type]] = []  # paths, and what is saved there

    def call(self, node: Call) -> Type:
        path = self.types.path(node.callee)
        callee = self.inference.expression(node.callee)
        arguments = [self.inference.expression(argument) for argument in node.arguments]
        results = self.types.results.setdefault(node, [Type()])
        file = self.inference.files.get(node)
        if file is not None:  # require of a file of the program
            self.inference.rules.append(lambda: self._results(file, results))
            return results[0]
        made = self.types.classes.get(path) if path is not None else None
        if made is not None:
            self._construct(made, node, arguments, results[0])
            return results[0]
        if path is not None and self._library_call(path, node, arguments, results):
            return results[0]
        seen: set[tree.Function] = set()
        made_here: set[LuaClass] = set()

        def takes(function: tree.Function, first: int) -> bool:
            """A function of the program takes the arguments, from its parameter number ``first`` (from 0) on."""
            new = function not in seen
            if new:
                seen.add(function)
                self.types.calls_of.setdefault(function, []).append(node)
                self._bind(function, node.arguments, arguments, first)
            return self._results(function, results) or new

        def call() -> bool:
            news = False
            for function in callee.find().functions:
                if function in self.types.known:
                    news |= self._known(self.types.known[function], arguments, results)
                    continue
                news |= takes(function, 0)
            if callee.kind == "class":
                for own in callee.find().classes:
                    if own not in made_here:
                        made_here.add(own)
                        self._construct(own, node, arguments, results[0])
                        news = True
            for function in self.types.methods_of(callee, "__call"):
                news |= takes(function, 1)
            if callee.kind in ("module", "criterion"):
                if self.inference.graphs and callee.kind == "module":
                    news |= results[0].mark("node")
                    if not node.arguments:
                        news |= results[0].be("tensor")
                news |= self._forward(callee, results[0], arguments)
            return news

        self.inference.rules.append(call)
        return results[0]

    def _as_saved(self, path: Expression, loaded: Type) -> bool:
        """A file has what the program saves in it."""
        news = False
        for other, value in self.saved:
            if same_expression(path, other):
                news |= unify(loaded, value)
        return news

    def _known(self, what: str, arguments: list[Type], results: list[Type]) -> bool:
        """What the functions give that are known by what they do."""
        if what == "clones":
            news = results[0].be("table") | results[0].mark("array")
            return news | (unify(results[0].of_elements(), arguments[0]) if arguments else False)
        return self._flat_vectors(results)

    def _flat_vectors(self, results: list[Type]) -> bool:
        """The two vectors of all parameters and of their gradients."""
        news = False
        for index, mark in enumerate(("flat weights", "flat gradients")):
            while len(results) <= index:
                results.append(Type())
            news |= results[index].be("tensor") | be_rank(results[index], 1) | results[index].mark(mark)
        return news

    def _results(self, function: tree.Function, results: list[Type]) -> bool:
        returns = self.types.returns.get(function)
        news = False
        if returns is not None:
            for index, result in enumerate(results):
                news |= unify(result, returns.at(index))
        return news

    def _bind(
        self, function: tree.Function, nodes: tuple[Expression, ...], given: list[Type], first: int
    ) -> None:
        parameters = function.parameters[first:]
        open_end = bool(nodes) and isinstance(nodes[-1], (Call, Invoke, tree.Vararg))
        if function.vararg:
            for extra in given[len(parameters) :]:
                unify(self.types.varargs.setdefault(function, Type()), extra)
        for index, parameter in enumerate(parameters):
            if index < len(given):
                unify(self.inference.name_type(parameter), given[index])
            elif not open_end:
                self.inference.name_type(parameter).find().may_be_nil = True

    def invoke(self, node: Invoke) -> Type:
        receiver = self.inference.expression(node.receiver)
        arguments = [self.inference.expression(argument) for argument in node.arguments]
        results = self.types.results.setdefault(node, [Type()])
        result, method = results[0], node.method
        if method in library.TENSOR_METHODS and method not in _AMBIGUOUS:
            self.inference.rules.append(lambda: receiver.kind is None and receiver.be("tensor"))
        if method in _MODULE_METHODS:
            self.inference.guesses.append(lambda: receiver.kind is None and receiver.be("module"))
        if method == "format":
            self._formats(node.receiver, arguments)
        seen: set[tree.Function] = set()

        inside = node.receiver.base if isinstance(node.receiver, Index) else None

        def invoke() -> bool:
            kind = receiver.kind
            if kind is None and inside is not None and self.types.kind(inside) == "tensor":
                return receiver.be("tensor")  # what has methods is no number
            own = self.types.function_called(node)
            if not own and method == "forward":
                own = self.types.methods_of(receiver, "updateOutput")
            if own:
                news = False
                for function in own:
                    if function not in seen:
                        seen.add(function)
                        self.types.calls_of.setdefault(function, []).append(node)
                        self._bind(function, node.arguments, arguments, 1)
                        news = True
                    news |= self._results(function, results)
                return news
            if receiver.has("node") and method in ("annotate", "split"):
                return self._node_method(method, receiver, results)
            if kind == "tensor":
                return tensor_method(node, receiver, arguments, results)
            if kind in ("module", "criterion"):
                return self._module_method(node, receiver, arguments, results)
            if kind == "string" and method in ("find", "match", "gsub"):
                if result.kind is None:
                    self._text_results(method, node, results)
                    return True
                return False
            if kind == "string":
                if method in ("byte", "len"):
                    return result.be("number") | result.mark("whole")
                if method == "gmatch":
                    return False
                return result.be("string")
            if kind == "cmdline" and method == "option" and len(arguments) > 1:
                option = node.arguments[0]
                if isinstance(option, tree.String) and arguments[1].kind in ("number", "string", "boolean"):
                    return receiver.of_field(option.value.lstrip("-")).be(arguments[1].kind)
                return False
            if kind == "cmdline" and method == "parse":
                for option_name, found in list(receiver.find().fields.items()):
                    if found.kind is not None:
                        result.of_field(option_name).be(found.kind)
                return result.be("table") | result.mark("record", "options")
            if kind == "cmdline" and method == "string":
                return result.be("string")
            if method in ("cuda", "cl") and kind in ("tensor", "module", "criterion"):
                return unify(result, receiver)
            if kind == "timer" and method == "time":
                return result.be("table") | result.of_field("real").be("number")
            if kind == "file" and method == "readString":
                return result.be("string")
            if kind == "file" and method == "read":
                return result.be("string")
            return False

        self.inference.rules.append(invoke)
        return result

    def _option(self, method: str, node: Invoke, arguments: list[Type]) -> bool:
        """An option is of the kind of its default, an argument is text."""
        name = node.arguments[0] if node.arguments else None
        if not isinstance(name, tree.String) or (method == "option" and len(arguments) < 2):
            return False
        bare = name.value.lstrip("-")
        if bare in self.options:
            return False
        self.options[bare] = arguments[1] if method == "option" else Type("string")
        return True

    def _given_options(self, found: Type) -> bool:
        news = False
        for name, default in self.options.items():
            option = found.of_field(name)
            if option.kind is None and default.kind in ("number", "string", "boolean"):
                news |= option.be(default.kind)
        return news

    def _node_method(self, method: str, receiver: Type, results: list[Type]) -> bool:
        """A node of a graph that is named, or taken apart."""
        if method == "annotate":
            return unify(results[0], receiver)
        news = False
        for result in results:
            news |= result.be("tensor") | result.mark("node")
        return news

    def _forward(self, module: Type, result: Type, arguments: list[Type]) -> bool:
        if module.kind == "criterion":
            return result.be("number") | result.mark("loss")
        shape = output_kind(module, arguments[0] if arguments else Type())
        if shape == "steps":
            return result.be("table") | result.mark("array", "steps") | result.of_elements().be("tensor")
        if shape == "tuple":
            return result.be("table") | result.mark("array", "tuple") | result.of_elements().be("tensor")
        if shape == "tensor":
            news = result.be("tensor")
            if arguments and keeps_rank(module):
                news |= same_rank(result, arguments[0])
            return news
        return False

    def _module_method(
        self, node: Invoke, receiver: Type, arguments: list[Type], results: list[Type]
    ) -> bool:
        result, method = results[0], node.method
        if method in ("forward", "updateOutput"):
            return self._forward(receiver, result, arguments)
        if method in ("backward", "updateGradInput"):
            return unify(result, arguments[0]) if arguments and arguments[0].kind == "tensor" else False
        if method == "add":
            news = False
            for layer in receiver.find().layers[:1]:
                if arguments and not any(child is arguments[0] for child in layer.children):
                    layer.children.append(arguments[0])
                    news = True
            return news | unify(result, receiver)
        if method in ("training", "evaluate", "float", "double", "cuda", "clone", "type", "reset", "share"):
            return unify(result, receiver)
        if method == "get":
            return result.be("module")
        if method == "getParameters":
            return self._flat_vectors(results)
        return False

    def _library_call(self, path: str, node: Call, arguments: list[Type], results: list[Type]) -> bool:
        """Whether the call is one of a library's; its results are given their types."""
        result = results[0]
        if path in library.TENSOR_TYPES:
            result.be("tensor")
            result.find().tensor_type = library.TENSOR_TYPES[path]
            if node.arguments and isinstance(node.arguments[0], tree.Table):
                be_rank(result, _depth_of(node.arguments[0]))
            elif len(node.arguments) == 1:
                only = arguments[0]
                self.inference.rules.append(lambda: tensor_of(only, result))
            else:
                result.find().ranks.add(len(node.arguments))
            return True
        if path.startswith("torch.") and self._torch_call(path, node, arguments, results):
            return True
        if path == "optim.ConfusionMatrix":
            result.be("confusion")
            return True
        if path.startswith("optim.") and len(node.arguments) >= 2:
            unify(results[0], arguments[1])
            while len(results) < 2:
                results.append(Type())
            results[1].be("table")
            results[1].mark("array", "losses")
            results[1].of_elements().be("number")
            results[1].of_elements().mark("loss")
            return True
        if path.startswith(("nn.", "cudnn.", "rnn.")):
            return self._make(path, node, arguments, result)
        if path == "tonumber":
            result.be("number")
            result.find().may_be_nil = True
            return True
        if path == "table.insert" and arguments:
            table = arguments[0]
            table.be("table")
            table.mark("array", "append")
            unify(table.of_elements(), arguments[-1])
            return True
        if path in ("table.remove", "unpack", "table.unpack") and arguments:
            arguments[0].be("table")
            arguments[0].mark("array")
            unify(result, arguments[0].of_elements())
            for more in results[1:]:
                unify(more, arguments[0].of_elements())
            return True
        if path == "table.sort" and arguments:
            arguments[0].be("table")
            arguments[0].mark("array")
            for order in arguments[1:]:
                self.inference.rules.append(functools.partial(self._compares, arguments[0], order))
            return True
        if path == "table.concat" and arguments:
            arguments[0].be("table")
            arguments[0].mark("array")
        if path in ("assert",) and arguments:
            unify(result, arguments[0])
            return True
        if path == "setmetatable" and arguments:
            unify(result, arguments[0])
            return True
        if path == "pcall":
            self._protected(node, arguments, results)
            return True
        if path == "io.open":
            result.be("file")
            while len(results) < 2:
                results.append(Type())
            results[1].be("string")
            return True
        if path in ("string.find", "string.match", "string.gsub"):
            self._text_results(path.removeprefix("string."), node, results)
            return True
        if path == "string.format" and node.arguments:
            self._formats(node.arguments[0], arguments[1:])
        if path == "select":
            return self._select(node, arguments, result)
        if path == "torch.save" and len(node.arguments) > 1:
            self.saved.append((node.arguments[0], arguments[1]))
        if path in ("torch.save", "print", "require"):
            return path != "require"
        if path == "lfs.attributes" and node.arguments:
            result.be("stat" if len(node.arguments) == 1 else "string")
            result.find().may_be_nil = len(node.arguments) > 1
            return True
        kind = FUNCTION_RESULTS.get(path)
        if kind is None:
            return False
        if kind == "whole":
            result.be("number")
            result.mark("whole")
        else:
            result.be(kind)
        if path.startswith("math.") and path not in ("math.random",):
            for argument in arguments:
                self.inference.rules.append(functools.partial(counted, argument))
        return True

    def _torch_call(self, path: str, node: Call, arguments: list[Type], results: list[Type]) -> bool:
        name, result = path.removeprefix("torch."), results[0]
        if name in library.CREATORS:
            result.be("tensor")
            if not (len(arguments) == 1 and not isinstance(node.arguments[0], tree.Number)):
                result.find().ranks.add(len(arguments))
            else:
                only = arguments[0]
                self.inference.rules.append(lambda: only.kind == "number" and be_rank(result, 1))
            return True
        if name in ("range", "linspace", "logspace", "randperm"):
            result.be("tensor")
            be_rank(result, 1)
            if name == "randperm":
                result.mark("whole")
            return True
        if name in ("eye",):
            result.be("tensor")
            be_rank(result, 2)
            return True
        if name in ("load",):
            result.mark("loaded")  # of any kind, if it is not saved under the same path
            self.inference.rules.append(lambda: self._as_saved(node.arguments[0], result))
            return True
        if path in FUNCTION_RESULTS:
            return False
        if name in library.TENSOR_METHODS | library.NUMBER_METHODS | {"cat", "topk"} and arguments:
            first = arguments[0]

            def method() -> bool:
                if first.kind is None:
                    return False
                if first.kind == "number":
                    return result.be("number") | (name in ("floor", "ceil") and result.mark("whole"))
                if name == "cat":
                    return result.be("tensor") | (
                        same_rank(result, first) if first.kind == "tensor" else False
                    )
                if first.kind == "tensor":
                    return tensor_method(
                        Invoke(node.place, node.arguments[0], name, node.arguments[1:], node.place),
                        first,
                        arguments[1:],
                        results,
                    )
                return False

            self.inference.rules.append(method)
            return True
        return False

    def _compares(self, table: Type, order: Type) -> bool:
        """The function that sorts a table is given its elements."""
        news = False
        for function in order.find().functions:
            for parameter in function.parameters:
                news |= unify(self.inference.name_type(parameter), table.of_elements())
        return news

    def _protected(self, node: Call, arguments: list[Type], results: list[Type]) -> None:
        """``pcall(f, ...)``: whether it went well, and what f gives."""
        results[0].be("boolean")
        seen: set[tree.Function] = set()

        def protected() -> bool:
            news = False
            for function in arguments[0].find().functions if arguments else []:
                if function not in seen:
                    seen.add(function)
                    self._bind(function, node.arguments[1:], arguments[1:], 0)
                    call = Call(node.place, node.arguments[0], node.arguments[1:])
                    self.types.calls_of.setdefault(function, []).append(call)
                    news = True
                returns = self.types.returns.get(function)
                if returns is not None and not returns.count and len(results) > 1:
                    news |= results[1].be("string")  # the message
                    continue
                for index, result in enumerate(results[1:]):
                    news |= unify(result, returns.at(index)) if returns is not None else False
            return news

        self.inference.rules.append(protected)

    def _text_results(self, name: str, node: Call | Invoke, results: list[Type]) -> None:
        """What string.find, match and gsub give."""
        count = {"gsub": 2, "find": 4, "match": 4}[name]
        while len(results) < count:
            results.append(Type())
        new = node.arguments[-1] if node.arguments else None
        if name == "gsub" and isinstance(new, tree.Function):
            for parameter in new.parameters:
                self.inference.name_type(parameter).be("string")
        for index, result in enumerate(results):
            if (name == "find" and index < 2) or (name == "gsub" and index == 1):
                result.be("number")
                result.mark("whole")
            else:
                result.be("string")

    def _formats(self, pattern: Expression, arguments: list[Type]) -> None:
        """What is written with %d or %f is a number, if nothing else is known of it."""
        while isinstance(pattern, tree.Paren):
            pattern = pattern.inner
        if not isinstance(pattern, tree.String):
            return
        letters = [
            found for found in re.findall(r"%[-+ #0]*\d*(?:\.\d*)?([a-zA-Z%])", pattern.value) if found != "%"
        ]
        for letter, argument in zip(letters, arguments, strict=False):
            if letter in "difgeGEx":
                self.inference.guesses.append(functools.partial(counted, argument))

    def _select(self, node: Call, arguments: list[Type], result: Type) -> bool:
        """``select('#', ...)`` and ``select(n, ...)``"""
        first = node.arguments[0] if node.arguments else None
        if isinstance(first, tree.String):
            result.mark("whole")
            result.be("number")
        elif len(arguments) > 1:
            unify(result, arguments[1])
        return True

    def _construct(self, made: LuaClass, node: Call, arguments: list[Type], result: Type) -> None:
        """An object of a class of the program's own."""
        unify(result, made.instance)
        start = made.find("__init")
        if start is not None:
            self.types.calls_of.setdefault(start, []).append(node)
            self._bind(start, node.arguments, arguments, 1)

    def _make(self, path: str, node: Call, arguments: list[Type], result: Type) -> bool:
        kind = "criterion" if is_criterion(path) else "module"
        result.be(kind)
        description = Description("nn." + path.split(".", 1)[1], node)
        description.slots = [argument for argument in arguments if argument.kind in ("module", "criterion")]
        result.find().layers.append(description)
        return True


# Names that tensors share with tables, strings, modules or the program's own objects.
_AMBIGUOUS = set(
    "add copy fill zero clone type float double cuda sort set select index insert remove random pow find get size"
    " repeatTensor uniform squeeze view reset round sign log exp sqrt abs".split()
) - {"fill", "zero", "uniform", "squeeze", "view", "repeatTensor"}

_MODULE_METHODS = {
    "forward",
    "backward",
    "updateGradInput",
    "getParameters",
    "zeroGradParameters",
    "updateParameters",
    "evaluate",
    "training",
}


def _depth_of(node: tree.Table) -> int:
    depth = 1
    while node.fields and isinstance(node.fields[0].value, tree.Table):
        node = node.fields[0].value
        depth += 1
    return depth
