"""Calls of the functions of Lua's libraries and of packages."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

from torch7py.translate import library, tree
from torch7py.translate.inference import library_objects, module_calls, tds, tuples
from torch7py.translate.inference.state import Inference
from torch7py.translate.kind_rules import (
    counted,
    same_rank,
    tensor_method,
    tensor_of,
)
from torch7py.translate.kinds import Type, unify, widen
from torch7py.translate.library import FUNCTION_RESULTS, STORAGES
from torch7py.translate.observed import FILLED
from torch7py.translate.tree import Call, Expression, Invoke, Name
from torch7py.translate.tree_queries import bare, index_alone, may_be_more, same_expression

__all__ = ["LibraryCalls"]

# Gives a function's parameters what a call has for them: the function, the arguments and their types, how many
# parameters come before.
Bind: TypeAlias = Callable[[tree.Function, tuple[Expression, ...], list[Type], int], None]


def optimizer_results(arguments: list[Type], results: list[Type]) -> bool:
    """What one of optim's functions gives: the weights, and a table of losses."""
    news = unify(results[0], arguments[1])
    widen(results, 2)
    losses = results[1]
    news |= losses.be_list(None, "losses")
    return news | losses.of_elements().be("number") | losses.of_elements().mark("loss")


def _columns(loaded: Type, raw: bool) -> bool:
    """What csvigo loads: lists of text, each under a name or one after the other."""
    news = False
    for column in [loaded.of_elements()] if raw else [loaded.of_elements(), *loaded.find().fields.values()]:
        news |= column.be_list("string")
    return news


# Functions whose results the method of that name tells.
_OTHER_METHODS = set("cat topk kthvalue median mode chunk split permute nonzero totable inverse".split())


def _unpack(inference: Inference, table: Type, results: list[Type]) -> None:
    """What ``unpack`` gives: one kind for each place of such a table, else what all its elements are."""

    def places() -> bool:
        if not table.has(tuples.MARK):
            return False
        news = False
        for index, result in enumerate(results, 1):
            news |= unify(result, table.of_field(str(index)))
        return news

    def elements() -> bool:
        news = False
        for result in results if not table.has(tuples.MARK) else ():
            news |= unify(result, table.of_elements())
        return news

    if inference.tuples:  # whether this is one is not known before the rules have been applied
        inference.rules.append(places)
        inference.guesses.append(elements)
    else:
        elements()
        inference.rules.append(elements)  # how many values there are is known when they are assigned


# Methods of torch.DiskFile, but for those that read and write lines of text.
_OF_NUMBERS = library_objects.OF_NUMBERS | set(
    "ascii binary hasError position seekEnd littleEndianEncoding bigEndianEncoding".split()
)
# Functions that give something of a kind, or nil.
_OR_NIL = {"tonumber": "number", "os.execute": "boolean", "os.getenv": "string"}


class LibraryCalls:
    def __init__(self, inference: Inference, bind: Bind, objects: library_objects.ObjectKinds) -> None:
        self.inference, self.types, self._bind, self._objects = inference, inference.types, bind, objects
        self.saved: list[tuple[Expression, Type]] = []  # paths, and what is saved there

    @cached_property
    def _methods(self) -> dict[Expression, str]:
        """Which method each expression of the program is asked for."""
        return {node.receiver: node.method for node in tree.every(self.inference.program, Invoke)}

    def _is_of_numbers(self, file: Call) -> bool:
        """Whether more than lines of text is read or written by the methods of what ``torch.DiskFile`` gives.

        Those are the methods of the variable that has it, or, where something else may have it too, any method.
        """
        mode = file.arguments[1] if len(file.arguments) > 1 else None
        if mode is not None and not (isinstance(mode, tree.String) and mode.value in ("r", "w")):
            return True
        reads: list[Name] = []
        for statement in tree.every(self.inference.program, tree.Local):
            if len(statement.names) == 1 and statement.values == (file,):
                variable = self.types.scopes.of_name[statement.names[0]]
                reads = [] if variable.writes else variable.reads
        is_alone = bool(reads) and all(name in self._methods for name in reads)
        methods = [self._methods[name] for name in reads] if is_alone else self._methods.values()
        return not _OF_NUMBERS.isdisjoint(methods)

    def _items_by(self, items: Expression, table: Type) -> bool:
        """A function that gives a table's items by their numbers: where it is asked for no names."""
        value = self.types.by_node[items]
        if value.kind != "function":
            return value.kind is not None and table.mark("metamethods")
        of_two = [f for f in value.functions if len(f.parameters) == 2]
        news = table.mark("computed items" if len(of_two) == len(value.functions) else "metamethods")
        for function in of_two:
            parameters = [self.inference.name_type(parameter) for parameter in function.parameters]
            news |= unify(parameters[0], table)
            if table.has("by number") and parameters[1].kind in (None, "number"):
                news |= parameters[1].be("number")
                news |= unify(table.of_elements(), self.types.returns[function].at(0))
        return news

    def _as_saved(self, path: Expression, loaded: Type) -> bool:
        """A file has what the program saves in it."""
        news = False
        for other, value in self.saved:
            if same_expression(path, other):
                news |= unify(loaded, value)
        return news

    def _like_saved(self, loaded: Type) -> bool:
        """A table from a file is like the one that the program saves with all fields that it looks at."""
        if loaded.kind not in (None, "table") or not self.saved:
            return False
        by_node, representative = self.types.by_node, loaded.find()
        names = {
            node.key.value
            for node in tree.every(self.inference.program, tree.Index)
            if isinstance(node.key, tree.String)
            and node.base in by_node
            and by_node[node.base].find() is representative
        }
        if not names:
            return False
        alike = {value.find() for _, value in self.saved if names <= set(value.find().fields)}
        return len(alike) == 1 and unify(loaded, alike.pop())

    def call(self, path: str, node: Call, arguments: list[Type], results: list[Type]) -> bool:
        """Whether the call is one of a library's; its results are given their types."""
        result = results[0]
        if path in library.TENSOR_TYPES:
            result.be("tensor")
            result.find().tensor_type = library.TENSOR_TYPES[path]
            if node.arguments and isinstance(node.arguments[0], tree.Table):
                result.be_rank(_depth_of(node.arguments[0]))
                if _has_one_number(node.arguments[0]):
                    result.mark("one element")
            elif len(node.arguments) == 1:
                only = arguments[0]
                self.inference.rules.append(lambda: tensor_of(only, result))
            elif node.arguments and not may_be_more(node.arguments):
                result.find().ranks |= {len(node.arguments)}
            return True
        if path.startswith("torch.") and self._torch_call(path, node, arguments, results):
            return True
        if path == "optim.ConfusionMatrix":
            result.be("confusion")
            return True
        if path.startswith("optim.") and len(node.arguments) >= 2:
            optimizer_results(arguments, results)
            self.inference.rules.append(functools.partial(self.optimized, arguments[0], arguments[1]))
            return True
        if path.startswith("image.") and path.removeprefix("image.") in library.IMAGES:
            self.image(path.removeprefix("image."), node, arguments, result)
            return True
        if path == "cjson.decode" and node in self.inference.loaded:
            self.inference.loaded[node].learn(result)
            return True
        if path == "cjson.decode":
            result.mark("loaded", "json")
            return True
        if path == "csvigo.load":
            raw = any(isinstance(part, tree.String) and part.value == "raw" for part in tree.walk(node))
            result.be("table")
            result.mark("array" if raw else "record")
            self.inference.rules.append(lambda: _columns(result, raw))
            return True
        if path in library.LISTINGS and len(arguments) > 1:  # which names are wanted
            for function in arguments[1].find().functions:
                for parameter in function.parameters[:1]:
                    self.inference.name_type(parameter).be("string")
        if path in (*library.SPLITS, *library.NAME_LISTS):
            if arguments:
                self.inference.rules.append(lambda: arguments[0].kind is None and arguments[0].be("string"))
            result.be_list("string")
            return True
        if path in tds.MAKERS:
            return tds.make(path, arguments, result)
        if path.startswith(("nn.", "cudnn.", "rnn.")) and not _is_method_of_class(path):
            return module_calls.make(path, node, arguments, result)
        if path in _OR_NIL:
            result.be(_OR_NIL[path])
            result.find().may_be_nil = True
            return True
        if path == "table.insert" and arguments:
            table = arguments[0]
            table.be_list(None, "append")
            unify(table.of_elements(), arguments[-1])
            return True
        if path in ("table.remove", "unpack", "table.unpack") and arguments:
            arguments[0].be_list()
            _unpack(self.inference, arguments[0], results)
            return True
        if path in ("math.modf", "math.frexp"):
            widen(results, 2)
            return results[0].be("number") | results[1].be("number") or True
        if path == "table.sort" and arguments:
            arguments[0].be_list()
            for order in arguments[1:]:
                self.inference.rules.append(functools.partial(self._compares, arguments[0], order))
            return True
        if path == "table.concat" and arguments:
            arguments[0].be_list()
        if path == "string.split":  # which torch gives to strings
            return result.be_list("string")
        if path in ("assert",) and arguments:
            unify(result, arguments[0])
            return True
        if path == "setmetatable" and arguments:
            arguments[0].mark("metatable")
            unify(result, arguments[0])
            items = index_alone(node.arguments[-1])
            if items is None:
                arguments[0].mark("metamethods")
            else:
                self.inference.rules.append(functools.partial(self._items_by, items, arguments[0]))
            return True
        if path == "getmetatable" and arguments:
            arguments[0].mark("metamethods")
        if path == "pcall":
            self._protected(node, arguments, results)
            return True
        if path == "torch.DiskFile" and self._is_of_numbers(node):
            return result.be(library_objects.FILE)
        if path in library_objects.MAKERS:
            result.be(library_objects.MAKERS[path])
            self.inference.rules.append(lambda: self._objects.started(node, arguments))
            return True
        if path == "io.open":
            result.be("file")
            widen(results, 2)
            results[1].be("string")
            return True
        if path in ("string.find", "string.match", "string.gsub"):
            self.text_results(path.removeprefix("string."), node, results)
            return True
        if path in ("string.format", "pl.utils.printf") and node.arguments:
            self.formats(node.arguments[0], arguments[1:])
        if path == "select":
            return self._select(node, arguments, result)
        if path == "torch.data" and len(arguments) == 1:
            self.inference.rules.append(lambda: arguments[0].kind == "tensor" and result.be("pointer"))
            return True
        if path == "ffi.copy" and len(arguments) > 1:
            result.be("pointer")
            return True
        if path == "torch.LongStorage":
            result.be("storage")
            return True
        if path in STORAGES:
            result.be("memory")
            return True
        if path in ("type", "torch.type") and arguments:
            arguments[0].mark("asked")
        if path == "torch.save" and len(node.arguments) > 1:
            self.saved.append((node.arguments[0], arguments[1]))
        if path in ("torch.save", FILLED, "print", "require"):
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
            if path.endswith("stringx.lfind"):
                result.be_nil()
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
                result.find().ranks |= {len(arguments)} if not may_be_more(node.arguments) else set()
            else:
                only = arguments[0]
                self.inference.rules.append(lambda: only.kind == "number" and result.be_rank(1))
            return True
        if name in ("range", "linspace", "logspace", "randperm", "histc"):
            result.be("tensor")
            result.be_rank(1)
            if name == "randperm":
                result.mark("whole")
            return True
        if name in ("all", "any"):
            result.be("boolean")
            return True
        if name in library.TENSOR_FUNCTIONS:
            result.be("tensor")
            if name in ("conv2", "xcorr2", "cross", "renorm", "inverse") and arguments:
                self.inference.rules.append(lambda: same_rank(result, arguments[0]))
            return True
        if name in library.MATRIX_FUNCTIONS or name in ("addmm", "addmv", "addr", "addbmm", "baddbmm"):
            result.be("tensor")
            result.be_rank({"addmv": 1, "baddbmm": 3}.get(name, 2))
            return True
        if name in library.DECOMPOSITIONS:
            widen(results, len(library.DECOMPOSITIONS[name]))
            for factor, rank in zip(results, library.DECOMPOSITIONS[name], strict=True):
                factor.be("tensor")
                factor.be_rank(rank)
            return True
        if name == "multinomial":
            result.be("tensor")
            result.mark("places")
            result.find().tensor_type = "Long"
            self.inference.rules.append(lambda: same_rank(result, arguments[0]) if arguments else False)
            return True
        if name in ("load",):
            result.mark("loaded")  # of any kind, if it is not saved under the same path
            if node in self.inference.loaded:
                self.inference.loaded[node].learn(result)
                return True
            self.inference.rules.append(lambda: self._as_saved(node.arguments[0], result))
            self.inference.guesses.append(lambda: self._like_saved(result))
            return True
        if name in library.DRAWS and arguments:  # a number, or a tensor that is filled
            filled = arguments[0]

            def drawn() -> bool:
                if filled.kind == "tensor":
                    return unify(result, filled)
                whole = name in ("random", "bernoulli") and filled.kind == "number"
                return filled.kind == "number" and (result.be("number") | (whole and result.mark("whole")))

            self.inference.rules.append(drawn)
            self.inference.guesses.append(lambda: filled.kind is None and filled.be("number"))
            return True
        if path in FUNCTION_RESULTS:
            return False
        if name in library.TENSOR_METHODS | library.NUMBER_METHODS | _OTHER_METHODS and arguments:
            first = arguments[0]

            def method() -> bool:
                if first.kind is None:
                    return False
                if name == "pow" and len(arguments) > 1 and arguments[1].kind == "tensor":
                    return result.be("tensor") | same_rank(result, arguments[1])
                if first.kind == "number":
                    return result.be("number") | (name in ("floor", "ceil", "round") and result.mark("whole"))
                if name == "cat":
                    return result.be("tensor") | (
                        same_rank(result, first) if first.kind == "tensor" else False
                    )
                if first.kind == "tensor":
                    return tensor_method(
                        Invoke(node.span, node.arguments[0], name, node.arguments[1:], node.span),
                        first,
                        arguments[1:],
                        results,
                    )
                return False

            self.inference.rules.append(method)
            self.inference.guesses.append(lambda: self.inference.be_tensor(first))
            return True
        return False

    def image(self, name: str, node: Call, arguments: list[Type], result: Type) -> None:
        """``image.f(...)`` that gives an image."""
        result.be("tensor")
        if name in library.IMAGES_AS_GIVEN and arguments:
            self.inference.rules.append(lambda: same_rank(result, arguments[0]))
        rank = library.IMAGE_RANKS.get(name)
        if name == "load":  # with one plane it is a matrix or not, as the file is
            planes = node.arguments[1] if len(node.arguments) > 1 else tree.Nil(node.span)
            if isinstance(planes, tree.Nil) or (isinstance(planes, tree.Number) and planes.value == 3):
                rank = 3
            last = node.arguments[-1] if node.arguments else None
            if isinstance(last, tree.String) and last.value == "byte":
                result.find().tensor_type = "Byte"
        if rank is not None:
            result.be_rank(rank)

    def optimized(self, function: Type, point: Type) -> bool:
        """The function given to optim is given what is optimized (which for a module's weights needs no type)."""
        news = False
        for closure in function.find().functions:
            if closure.parameters and point.kind == "tensor" and not point.has("flat weights"):
                news |= unify(self.inference.name_type(closure.parameters[0]), point)
        return news

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
                    call = Call(node.span, node.arguments[0], node.arguments[1:])
                    self.types.calls_of.setdefault(function, []).append(call)
                    news = True
                returns = self.types.returns.get(function)
                if len(results) > 1:
                    results[1].mark("message")  # an error's text, if not what the function gives
                if returns is not None and not returns.count and len(results) > 1:
                    news |= results[1].be("string")
                    continue
                for index, result in enumerate(results[1:] if returns is not None else ()):
                    returned = returns.at(index) if returns is not None else result
                    # the function itself gives no messages
                    plain = returned.kind in ("number", "boolean")
                    news |= result.be(returned.kind or "") if plain else unify(result, returned)
            return news

        self.inference.rules.append(protected)

    def text_results(self, name: str, node: Call | Invoke, results: list[Type]) -> bool:
        """What string.find, match and gsub give."""
        news = False
        count = {"gsub": 2, "find": 4, "match": 4}[name]
        widen(results, count)
        new = node.arguments[-1] if node.arguments else None
        if name == "gsub" and isinstance(new, tree.Function):
            pattern = node.arguments[0 if isinstance(node, Invoke) else 1]
            captures = pattern.value.replace("%(", "").count("(") if isinstance(pattern, tree.String) else 0
            for index, parameter in enumerate(new.parameters):
                news |= self.inference.name_type(parameter).be("string")
                if index >= max(captures, 1):
                    self.inference.name_type(parameter).be_nil()
        for index, result in enumerate(results):
            if (name == "find" and index < 2) or (name == "gsub" and index == 1):
                news |= result.be("number") | result.mark("whole")
            else:
                news |= result.be("string")
        return news

    def formats(self, pattern: Expression, arguments: list[Type]) -> None:
        """What is written with %d or %f is a number, if nothing else is known of it."""
        pattern = bare(pattern)
        if not isinstance(pattern, tree.String):
            return
        letters = [
            conversion
            for conversion in re.findall(r"%[-+ #0]*\d*(?:\.\d*)?([a-zA-Z%])", pattern.value)
            if conversion != "%"
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
        elif isinstance(first, tree.Number) and len(arguments) > 1:
            last, before = node.arguments[-1], len(arguments) - 2
            beyond = int(first.value) - 1 - before
            if isinstance(last, (Call, Invoke)) and beyond > 0:
                results = self.types.results[last]
                widen(results, beyond + 1)
                unify(result, results[beyond])
            elif 0 < first.value < len(arguments):
                unify(result, arguments[int(first.value)])
            else:
                unify(result, arguments[-1])
        else:
            for argument in arguments[1:]:
                unify(result, argument)
        return True


def _has_one_number(node: tree.Table) -> bool:
    """``{class}``"""
    values = [item.value for item in node.fields if item.key is None]
    several = (tree.Table, tree.Call, tree.Invoke, tree.Vararg)
    return len(values) == len(node.fields) == 1 and not isinstance(values[0], several)


def _depth_of(node: tree.Table) -> int:
    depth = 1
    while node.fields and isinstance(node.fields[0].value, tree.Table):
        node = node.fields[0].value
        depth += 1
    return depth


def _is_method_of_class(path: str) -> bool:
    """``nn.Module.forward``"""
    owner, _, name = path.rpartition(".")
    return "." in owner and name[:1].islower()
