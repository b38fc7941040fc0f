"""Calls: of the program's own functions, of libraries, and of methods by the kind of their receiver."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

from torch7py.translate import library, literals, page_library, tree
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.facts.methods import ELEMENTWISE, gives_new_tensor, gives_one
from torch7py.translate.inference import tuples
from torch7py.translate.inference.library_objects import METHODS as OBJECTS_OF_LIBRARY
from torch7py.translate.layers.as_modules import draws_weights
from torch7py.translate.layers.groups import SUMMING_WEIGHTS
from torch7py.translate.native import (
    checked_arguments,
    code,
    colors,  # noqa: F401  (registers its rules)
    csv_files,  # noqa: F401  (so does it)
    files,  # noqa: F401  (registers its rules)
    hdf5,  # noqa: F401  (so does it)
    images,  # noqa: F401  (so does it)
    json_texts,  # noqa: F401  (so does it)
    layer_classes,
    library_forms,  # noqa: F401  (so does it)
    library_lists,
    library_objects,  # noqa: F401  (registers its rules)
    library_rules,
    matching,
    metatables,  # noqa: F401  (registers its rules)
    patterns,
    penlight,  # noqa: F401  (so does it)
    plain_calls,
    printing,  # noqa: F401  (so does it)
    stdlib,
    strings,
    table_functions,  # noqa: F401  (so does it)
    tds,  # noqa: F401  (so does it)
    tensors,
)
from torch7py.translate.native.analysis import pattern_calls
from torch7py.translate.native.analysis.unknown_values import (
    AS_OBJECTS,
    a,
    described,
    may_be_tensor,
    of_require,
    undecided,
)
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.mode_methods import MODES
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.text import needs_one_value
from torch7py.translate.native.user_passes import is_user_pass
from torch7py.translate.native.value_counts import OF_LUA
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Number
from torch7py.translate.tree_queries import returns_of, same_expression
from torch7py.translate.usage import LUA, required

__all__ = ["Calls"]

Given = TypeVar("Given")

_DECOMPOSED = {f"torch.{name}" for name in library.DECOMPOSITIONS}
_ONE_VALUE = {Name, Index, tree.String, tree.Number}  # the commonest expressions without a list of values

# Functions of Lua's that have forms of their own for all values of a call, and those that take the first alone.
_TAKING_ALL = {"print", "pcall", "assert", "select"}
_TAKING_ONE = {"ipairs", "pairs", "tostring", "type"}

# Methods of tensors with two results; max and min only along a dimension.
TWO_TENSORS = {"max", "min", "sort", "topk", "kthvalue", "mode", "median"}


class Calls:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self.sole: set[Expression] = set()

    # Values

    def note_native(self, node: Call | Invoke) -> None:
        """Have the tables that are written out in a call in the form for functions of packages."""
        if self.t.plain_values:
            for argument in node.arguments:
                if isinstance(argument, tree.Table):
                    self.t.native_tables |= {n for n in tree.walk(argument) if isinstance(n, tree.Table)}

    def value(self, node: Call | Invoke, keep: bool = False) -> Py:
        self.note_native(node)
        """The first value of a call."""
        loss = self.t.training.losses.hoisted.get(node)
        if loss is not None:
            return atom(f"{loss}.detach()" if keep else f"{loss}.item()")
        if self.t.counts.is_exact_call(node):
            raise Undecided("T7-218", node.line, "the first of as many values as a function gives")
        if self.t.counts.gives_nothing(node):
            raise Undecided("T7-218", node.line, "the value of a method that gives none")
        whole = self._call(node, keep)
        if self.count(node) > 1:
            return atom(f"{whole.at(code.ATOM)}[0]")
        if self.gives_graph(node) and not keep and not self.t.graphs.mode:
            return atom(f"{whole.at(code.ATOM)}.item()")
        return whole

    def loss(self, node: Expression) -> Py:
        assert isinstance(node, (Call, Invoke))
        return self._call(node, True)

    def all_values(self, node: Expression) -> Py:
        assert isinstance(node, (Call, Invoke))
        if self.t.counts.is_exact_call(node):
            raise Undecided("T7-218", node.line, "as many values as a function gives")
        return self._call(node, False)

    def one_of_several(self, node: Call | Invoke, which: Expression) -> Py:
        index = int(which.value) - 1 if isinstance(which, tree.Number) else -1
        pattern = pattern_calls.matched(self.t, node)
        if index == 1 and pattern is not None and pattern[0] == "gsub":
            return atom(f"{matching.substitution(self.t, pattern[1], pattern[2], node.line)}[1]")
        indices = tensors.places(self.t, node) if index == 1 else None
        if indices is not None:
            return indices
        if not 0 < index < self.count(node):
            raise Undecided(
                "T7-217", node.line, "select of something else than ... or of a function's results"
            )
        return atom(f"{self.all_values(node)}[{index}]")

    def _selects_last(self, node: Call) -> bool:
        """Whether ``select(n, f(x))`` is the last value of the call."""
        which, call = node.arguments[0], node.arguments[-1]
        if len(node.arguments) != 2 or not isinstance(which, tree.Number):
            return False
        if not isinstance(call, (Call, Invoke)):
            return False
        pattern = pattern_calls.matched(self.t, call)
        if (pattern is not None and pattern[0] == "gsub") or tensors.gives_places(self.t, call):
            return which.value == 2
        return which.value == self.count(call) > 1 and self.t.counts.are_all(call)

    def count(self, node: Expression | None) -> int:
        counts = self._counts(node)
        if node is not None and len(counts) > 1 and max(counts) > 1:
            raise Undecided("T7-216", node.line, "functions with different numbers of results")
        return max(counts, default=1)

    def _counts(self, node: Expression | None) -> set[int]:
        """How many values the functions give that a call may be of."""
        functions = self.t.types.function_called(node) if isinstance(node, (Call, Invoke)) else []
        if self.t.training.closures.issuperset(functions):
            return {1}  # a function for optim gives the page the loss alone
        return {self.t.counts.written(f) for f in functions if f in self.t.types.returns}

    def least(self, node: Expression | None) -> int:
        """How many values a call of the program's own functions gives at least (1 for all others)."""
        return min(self._counts(node), default=1)

    def varies(self, node: Call | Invoke) -> bool:
        if not self.is_uneven(node):
            return False
        functions = [f for f in self.t.types.function_called(node) if f in self.t.types.returns]
        return all(map(self.t.counts.is_as_written, functions))

    def is_uneven(self, node: Call | Invoke) -> bool:
        """Whether one of several functions is called, which give different numbers of values."""
        counts = self._counts(node)
        return len(counts) > 1 and max(counts) > 1

    def is_filled_up(self, node: Call | Invoke) -> bool:
        return self.is_uneven(node) and not self.varies(node)

    def gives_graph(self, node: Expression) -> bool:
        if not isinstance(node, (Call, Invoke)):
            return False
        if self.t.training.losses.is_loss_call(node):
            return True
        keep = self.t.training.losses.graph_functions | self.t.training.closures
        return any(f in keep for f in self.t.types.function_called(node))

    def _call(self, node: Call | Invoke, keep: bool) -> Py:
        if self.t.plainly:
            self._refuse_spread(node)  # which the plain call takes as it is
        try:
            written = self._written(node, keep)
        except IndexError:
            raise self._too_few(node) from None
        return library_lists.as_table(self.t, node, written)

    def _too_few(self, node: Call | Invoke) -> Problem:
        """A rule takes more arguments than there are: Lua says so when it gets there."""
        name = node.method if isinstance(node, Invoke) else self.t.path(node.callee) or "a function"
        count = len(node.arguments)
        if count and (isinstance(node.arguments[-1], tree.Vararg) or self.t.is_unpacked(node.arguments[-1])):
            return Problem("T7-218", node.line, f"{name} with as many arguments as a table or ... holds")
        return Problem("T7-203", node.line, f"{name} with {count} argument{'s' * (count != 1)}")

    def _written(self, node: Call | Invoke, keep: bool) -> Py:
        t = self.t
        if isinstance(node, Invoke) and t.is_object(node.receiver) and not t.models.is_set(node):
            t.models.refuse_unknown(node)
            raise Undecided("T7-226", node.line, f"{node.method} of a module that is an object")
        special = t.graphs.call(node)
        if special is None and isinstance(node, Call):
            special = t.modules.call(node)
        if special is None:
            special = t.classes.uses.call(node)
        if special is None:
            special = t.user_passes.value(node)
        if special is None:
            special = t.training.call(node)
        if special is None:
            special = t.models.call(node)
        if special is not None:
            return special
        if isinstance(node, Invoke):
            return self._method(node)
        text = literals.text_of(node)
        if text is not None:
            return self._literal(node, text)
        path = t.path(node.callee)
        functions = t.types.function_called(node)
        t.present.add(node.callee)  # nil cannot be called
        if functions or (path is None and t.kind(node.callee) == "function"):
            return atom(f"{t.value(node.callee).at(code.ATOM)}({self.arguments(node, functions)})")
        called = t.types.methods_of(t.type(node.callee), "__call")
        if called:
            return atom(f"{t.value(node.callee).at(code.ATOM)}({self.arguments(node, called, 1)})")
        if path is not None:
            name = path.removeprefix("torch.")
            on_numbers = name in ELEMENTWISE and path.startswith("torch.")
            numbers = [t.kind(argument) for argument in node.arguments] == ["number"]
            rule = library_rules.functions.get(path)
            if rule is not None and (numbers or not on_numbers):
                return rule(t, node)
            if path.startswith("torch."):
                expression = tensors.torch_function(t, name, node)
                if expression is not None:
                    return expression
                rule = library_rules.functions.get(f"math.{name}") if on_numbers else None
                if rule is not None and numbers:
                    return rule(t, node)
                if on_numbers and numbers:
                    number = f"torch.tensor({t.value(node.arguments[0])}, dtype=torch.float64)"
                    return atom(f"torch.{name}({number}).item()")
            if path == "require":
                name_of_package = required(node)
                if t.plain_modules and name_of_package in layer_classes.PACKAGES_OF_LAYERS:
                    return layer_classes.package(t, node, name_of_package)
                is_object = name_of_package is None or name_of_package in AS_OBJECTS
                raise (Undecided if is_object else Problem)("T7-201", node.line, of_require(node))
            if "." not in path and path not in LUA and not plain_calls.has_function(path):
                raise Problem("T7-201", node.line, described(t, node.callee))
            name = path.removeprefix("torch.")
            taken = path.startswith("torch.") and name in page_library.functions_of_tensors()
            taken = taken and bool(node.arguments) and may_be_tensor(t, node.arguments[0])
            raise (Undecided if taken or plain_calls.has_function(path) else Problem)(
                "T7-201", node.line, f"{path} has no native form"
            )
        maker = node.callee
        # X.new(3, 4).
        if isinstance(maker, Index) and t.kind(maker.base) == "tensor" and tensors.is_new(maker):
            return tensors.new(t, maker.base, node.arguments)
        if isinstance(maker, Index) and t.kind(maker.base) == "tensor" and isinstance(maker.key, tree.String):
            name = maker.key.value  # x.cat(tensors, 1), the function that is the method
            written = tensors.torch_function(t, name, node) if gives_new_tensor(name) else None
            if written is not None:
                return written
        problem = undecided(t, node.callee, "T7-307", node.line, f"a call of {described(t, node.callee)}")
        if t.type(node.callee).has("metatable") or t.kind(node.callee) == "class":
            raise Undecided(problem.code, problem.line, problem.reason)
        raise problem

    def _literal(self, node: Call, text: Expression) -> Py:
        """What a text says as a value of Lua's."""
        t = self.t
        kind = t.kind(node)
        if kind not in ("number", "string", "boolean", "table") and not t.plain_values:
            raise Problem("T7-307", node.line, "the value of a text of which is not known what it says")
        name = t.need("read_literal")
        representation = t.representation(node) if kind == "table" else ""
        if representation in ("dict", "list"):
            return atom(f"{name}({t.value(text)}, {representation})")
        return atom(f"{name}({t.value(text)})")

    def _method(self, node: Invoke) -> Py:
        t = self.t
        t.present.add(node.receiver)  # nil has no methods
        kind = t.kind(node.receiver)
        if (
            (t.plain_modules or (t.apart and t.models.layer_names.has_packages))
            and node.receiver in t.types.guessed
            and node.method in page_library.object_methods()
        ):
            raise Undecided("T7-307", node.line, f"the method {node.method} of what may be a module")
        functions = t.types.function_called(node)
        if functions:
            if kind == "object" and t.types.is_in_field(node):
                return self._of_field(node, functions)
            of_classes = kind == "object" or t.types.has_methods_of_classes(node.receiver)
            if kind == "any" and not of_classes:
                of = described(t, node.receiver)
                raise Undecided("T7-307", node.line, f"the method {node.method} of {of}")
            if kind == "object" and node.method in self._methods_of_one_object:
                raise Undecided("T7-241", node.line, f"{node.method}, which some objects have of their own")
            if of_classes or kind == "class":
                method = code.attribute_name(node.method)
                classes = t.type(node.receiver).find().classes
                if node.method == "reset" and classes and all(draws_weights(c.parent) for c in classes):
                    method = "reset_parameters"
                base = t.value(node.receiver).at(code.ATOM)
                text = base if method == "forward" and is_user_pass(t, node) else f"{base}.{method}"
                if kind == "module" and node.method in MODES:
                    return atom(t.classes.bodies.mode_called(node, base))
                if kind == "class" and t.classes.takes_objects(functions):
                    itself = t.value(node.receiver).text
                    args = self.arguments(node, functions, 1)
                    return atom(f"{text}({itself}{', ' if args else ''}{args})")
                return atom(f"{text}({self.arguments(node, functions, 1)})")
            receiver, method = t.value(node.receiver), code.quoted(node.method)
            rest = self.arguments(node, functions, 1)
            if not any(f.parameters or f.vararg for f in functions):  # Lua drops the object itself, too
                return atom(f"{receiver.at(code.ATOM)}[{method}]()")
            if not isinstance(node.receiver, Name):  # it is computed once
                name = t.fresh("value")
                args = f"{name}, {rest}" if rest else name
                return atom(f"({name} := {receiver})[{method}]({args})")
            return atom(f"{receiver.at(code.ATOM)}[{method}]({receiver}{', ' if rest else ''}{rest})")
        if kind == "tensor":
            return tensors.method(t, node)
        if pattern_calls.has_methods_of_text(t, node.receiver):
            return strings.string_method(t, node)
        rule = library_rules.methods.get((kind or "", node.method))
        if rule is not None:
            return rule(t, node)
        if kind in (None, "any"):
            of = described(t, node.receiver)
            raise undecided(t, node.receiver, "T7-307", node.line, f"the method {node.method} of {of}")
        # when the page runs: where there is none, it ends there as in Lua
        is_looked_up = kind in ("object", "table", "memory", *OBJECTS_OF_LIBRARY)
        problem = Undecided if is_looked_up or plain_calls.has_method(kind, node.method) else Problem
        raise problem("T7-202", node.line, f"the method {node.method} of {a(kind)}")

    @cached_property
    def _methods_of_one_object(self) -> set[str]:
        """The names of methods which the program gives to single objects whose classes have such, too."""
        t = self.t
        stored: list[tuple[Expression, Expression]] = [
            (node.target, node.function) for node in tree.every(t.program, tree.FunctionStatement)
        ]
        for node in tree.every(t.program, tree.Assign):
            stored += zip(node.targets, node.values, strict=False)
        return {
            target.key.value
            for target, value in stored
            if isinstance(target, Index)
            and isinstance(target.key, tree.String)
            and isinstance(value, tree.Function)
            and t.kind(target.base) == "object"
            and t.types.family(t.type(target.base)).methods(target.key.value)
        }

    def _of_field(self, node: Invoke, functions: Sequence[tree.Function]) -> Py:
        """``self:hook(x)``, of a function that is in a field of the object: Python does not hand the object on."""
        t = self.t
        if not isinstance(node.receiver, Name):
            raise Undecided("T7-241", node.line, f"{node.method}, a function in a field of an object")
        base, rest = t.value(node.receiver).at(code.ATOM), self.arguments(node, functions, 1)
        takes_it = any(f.parameters or f.vararg for f in functions)
        args = ", ".join([*([base] if takes_it else []), *([rest] if rest else [])])
        return atom(f"{base}.{code.attribute_name(node.method)}({args})")

    def _is_defined_once(self, node: Call | Invoke) -> bool:
        """Whether a call names its function, of which there is one: types take it for one with others of its kind."""
        if not isinstance(node, Call) or not isinstance(node.callee, Name):
            return False
        variable = self.t.scopes.of_name[node.callee]
        definitions = [
            statement
            for statement in tree.every(self.t.program, tree.LocalFunction)
            if isinstance(statement, tree.LocalFunction) and self.t.scopes.of_name[statement.name] is variable
        ]
        return len(definitions) == 1 and not variable.writes

    def arguments(self, node: Call | Invoke, functions: Sequence[tree.Function], first: int = 0) -> str:
        checked = checked_arguments.arguments(self.t, node, functions, first)
        if checked is not None:
            return checked
        args = list(node.arguments)
        room = math.inf
        if functions:
            room = max(len(f.parameters) for f in functions) - first
            if any(f.vararg for f in functions):
                room = math.inf
            else:
                args = args[: int(room)]  # Lua drops what a function does not take
            taken = [len(f.parameters) for f in functions if not f.vararg] if room < math.inf else []
            most = len(args) + (self._most_values(args[-1]) - 1 if args and len(args) < room else 0)
            uneven = any(min(most, room) > max(0, count - first) for count in taken)
            # Not all take the object.
            uneven |= first > 0 and min(taken, default=0) == 0 < max(taken, default=0)
            if uneven and not self._is_defined_once(node):
                raise Undecided("T7-216", node.line, "functions that take different numbers of arguments")
        if self.t.training.takes_weights(node, functions):
            args, room = args[1:], room - 1
        texts = []
        for index, argument in enumerate(args):
            last = index == len(args) - 1
            if last and self.t.is_unpacked(argument):
                texts.append(f"*{self.unpacked(argument)}")
            elif last and isinstance(argument, tree.Vararg):
                # Lua drops what is too much, of calls of which it is not known how much they hand over
                may_be_more = room < math.inf and self.t.scope.function in self.t.counts.run_unseen
                texts.append(f"*{self.t.rest()}{f'[:{int(room) - index}]' if may_be_more else ''}")
            elif last and isinstance(argument, (Call, Invoke)) and room > index + 1:
                texts.append(self._last_values(argument, functions, room - index))
            else:
                with self.t.models.changed(argument):  # a weight, which a function may write into
                    texts.append(self.t.value(argument).text)
        return ", ".join(texts)

    def _most_values(self, node: Expression) -> float:
        """How many values the last argument of a call may be at most."""
        if not isinstance(node, (Call, Invoke)) or self.t.is_unpacked(node):
            return 1
        count_range = self.t.counts.of(node)
        known = self.count(node) if count_range is None else count_range[1]
        return math.inf if self.t.plainly and self._is_open(node) else known

    def _last_values(self, node: Call | Invoke, functions: Sequence[tree.Function], room: float) -> str:
        """All values of a call that is the last argument of another, which takes so many."""
        if functions and self.t.plainly and self._is_open(node):
            spread = self._spread(node, room)
            if spread is not None:
                return spread
        count = self.count(node)
        if functions and room < math.inf:
            count_range = self.t.counts.of(node)
            if count > 1 and (count_range is None or count_range[1] <= count):
                return f"*{self.all_values(node)}{f'[:{int(room)}]' if count > room else ''}"
            fits = count_range is None or count_range[1] <= 1
        else:
            fits = self.t.counts.are_all(node)
            if fits and count > 1:
                return f"*{self.all_values(node)}"
        if not fits:
            spread = self._spread(node, room) if functions and self.t.plainly else None
            if spread is not None:
                return spread
            alone = plain_calls.sole(self.t, node) if self.t.plainly else None
            if alone is None:
                raise Undecided("T7-218", node.line, "all values of a call at the end of a list")
            return alone.text
        return self.t.value(node).text

    def _spread(self, node: Call | Invoke, room: float) -> str | None:
        """All values of a plain call as arguments of a function of the program's; None where there is no plain call."""
        values = plain_calls.all_values(self.t, node)
        if values is not None and room < math.inf:
            values = plain_calls.library_call(self.t, "first_of", [values.text, str(int(room))])
        return None if values is None else f"*{values}"

    def _is_open(self, node: Call | Invoke) -> bool:
        """Whether it is only seen when it runs how many values a call gives."""
        counts = self.t.counts
        return counts.is_exact_call(node) or counts.is_unknown(node) or self.is_uneven(node)

    def gives_list(self, function: tree.Function) -> bool:
        returns = returns_of(function)
        if function in self.t.counts.run_unseen:
            return False
        if not returns or not all(
            len(r.values) == 1 and self.t.is_unpacked(r.values[0]) and len(r.values[0].arguments) == 1  # type: ignore[attr-defined]
            for r in returns
        ):
            return False
        named = {
            statement.values[0]
            for statement in tree.every(self.t.program, tree.Assignment)
            if isinstance(statement, tree.Assignment) and len(statement.values) == 1
            if len(statement.targets) > 1
        }
        return named.issuperset(self.t.types.calls_of.get(function, []))

    def _of_program(self, node: Call | Invoke) -> bool:
        """Whether a call is one of a function of the program, or makes an object of one of its classes."""
        lua_class = self.t.types.class_named(node.callee) if isinstance(node, Call) else None
        return bool(self.t.types.function_called(node) or (lua_class is not None and lua_class.constructor()))

    def refuse_spread(self, statement: tree.Statement) -> None:
        """Refuse all values of a call at the end of a list for which one value would be written."""
        for node in tree.direct_nodes(statement):
            if type(node) not in _ONE_VALUE:
                self._refuse_spread(node)

    def _drops_more(self, node: tree.Node | tree.Block) -> bool:
        """Whether a method of a module takes one argument, and so but the first value of a call that is that."""
        if not isinstance(node, Invoke) or node.method not in {*FORWARD, "add"} or len(node.arguments) != 1:
            return False
        return self.t.kind(node.receiver) == "module" and not self.t.types.function_called(node)

    def _refuse_spread(self, node: tree.Node | tree.Block) -> None:
        last = self.open_end(node)
        if last is not None:
            raise Undecided("T7-218", last.line, "all values of a call at the end of a list")

    def open_end(self, node: tree.Node | tree.Block) -> Call | Invoke | None:
        """The call at the end of a list of values that may stand for another number of them than one."""
        is_taken = isinstance(node, tree.Return) and len(node.values) < 2
        if is_taken or (isinstance(node, (Call, Invoke)) and self._of_program(node)):
            return None
        last = self.end_of_list(node)
        if last is None or last in self.sole:
            return None
        if isinstance(node, tree.Table) and isinstance(last, Invoke) and last.method == "getParameters":
            return None  # of which a table has a form of its own
        return None if self.is_one(last, least=1 if isinstance(node, tree.Table) else 0) else last

    def end_of_list(self, node: tree.Node | tree.Block) -> Call | Invoke | None:
        """The call at the end of a list of values, where it may stand for several."""
        last: Expression | None = None
        if isinstance(node, (Call, Invoke)):
            takes_one = isinstance(node, Call) and self.t.path(node.callee) in _TAKING_ALL | _TAKING_ONE
            functions = self.t.types.function_called(node)
            first = 1 if isinstance(node, Invoke) else 0
            takes_one |= bool(functions) and all(
                not f.vararg and len(f.parameters) - first <= len(node.arguments) for f in functions
            )
            if node.arguments and not (takes_one or needs_one_value(self.t, node) or self._drops_more(node)):
                last = node.arguments[-1]
        elif isinstance(node, tree.Table) and node.fields and node.fields[-1].key is None:
            last = node.fields[-1].value
        elif isinstance(node, tree.Return) and node.values:
            last = node.values[-1]
        return last if isinstance(last, (Call, Invoke)) else None

    def takes_sole(self, node: Expression) -> bool:
        """Whether the call at the end of a list is now taken for one value, which is seen when the page runs."""
        last = self.open_end(node)
        if last is None or plain_calls.sole(self.t, last) is None:
            return False
        self.sole.add(last)
        return True

    def is_one(self, node: Call | Invoke, least: int = 0) -> bool:
        if self.t.is_unpacked(node):
            return True  # which has forms of its own
        counts = self._counts(node)
        if len(counts) > 1 and max(counts) > 1:
            return False
        count_range = self.t.counts.of(node)
        return self.count(node) < 2 and (
            count_range is None or (count_range[0] >= least and count_range[1] <= 1)
        )

    def is_fixed(self, function: tree.Function) -> bool:
        for node in returns_of(function):
            last = node.values[-1] if node.values else None
            if isinstance(last, tree.Vararg) or self.t.is_unpacked(last) or self.gives_two(last):
                return False
            if len(node.values) > 1 and self.count(last) > 1:
                return False
        return True

    def _gives_gradients(self, node: Call | Invoke) -> bool:
        """Whether a call gives in Lua the gradients beside the loss, as a function for optim does."""
        return not self.t.training.closures.isdisjoint(self.t.types.function_called(node))

    def values_and_places(self, node: Expression) -> str | None:
        return tensors.both(self.t, node)

    def gives_two(self, node: Expression | None) -> bool:
        """Whether this is a call of Lua's or Torch7's own that gives two values or more, or may."""
        if isinstance(node, (Call, Invoke)) and (self._gives_gradients(node) or self.gives_letters(node)):
            return True
        pattern = pattern_calls.matched(self.t, node) if isinstance(node, (Call, Invoke)) else None
        if pattern is not None and pattern[0] == "match":
            return patterns.captures(self.t, pattern[2][0]) > 1
        if isinstance(node, Call):
            path = self.t.path(node.callee) or ""
            if path == "select" and node.arguments and isinstance(node.arguments[0], tree.String):
                return False  # select('#', ...)
            if path == "select" and self._selects_last(node):
                return False
            pair = path.startswith("torch.") and path[6:] in TWO_TENSORS
            if pair and len(node.arguments) < 2 and path in ("torch.max", "torch.min"):
                return False  # of all elements
            return pair or path in OF_LUA or path in _DECOMPOSED
        if not isinstance(node, Invoke) or self.t.types.function_called(node):
            return False
        kind = self.t.kind(node.receiver)
        is_criterion = self.t.types.kind(node.receiver) == "criterion"
        if is_criterion and node.method in ("forward", "updateOutput"):
            # what it gives beside its value: the sum of the weights of the classes
            return any(one.name in SUMMING_WEIGHTS for one in self.t.type(node.receiver).find().layers)
        if kind == "string":
            return f"string.{node.method}" in OF_LUA
        if kind == "file":
            return node.method == "close"  # of a command: how it ended
        if kind != "tensor":
            return False
        if node.method in library.DECOMPOSITIONS:
            return True
        return node.method in TWO_TENSORS and (bool(node.arguments) or node.method not in ("max", "min"))

    def gives_several_of_lua(self, node: Call | Invoke) -> bool:
        """Whether this is a call of one of Lua's own functions that gives several values, or may."""
        path = self.t.path(node.callee) if isinstance(node, Call) else None
        if path == "assert":
            return self.t.counts.of(node) not in (None, (0, 1), (1, 1))
        if path in ("coroutine.resume", "coroutine.yield"):
            return True
        of_text = isinstance(node, Invoke) and self.t.kind(node.receiver) in ("file", "string")
        of_lua = path in OF_LUA.keys() | {"string.match"}
        return (of_text or of_lua or self.gives_letters(node)) and self.gives_two(node)

    def gives_several_tensors(self, node: Call | Invoke) -> bool:
        """Whether this is a call of torch's or a method of a tensor's that gives several tensors."""
        if isinstance(node, Invoke):
            of_tensors = self.t.kind(node.receiver) == "tensor"
        else:
            of_tensors = (self.t.path(node.callee) or "").startswith("torch.")
        return of_tensors and self.gives_two(node)

    def is_surely_one(self, node: Expression) -> bool:
        """Whether this is a call of a function of Lua's own or of torch's that gives one value, never more."""
        if isinstance(node, Invoke):
            return self.t.kind(node.receiver) in ("memory", "storage")
        path = self.t.path(node.callee) if isinstance(node, Call) else None
        if path is None or path == "paths.mkdir" or self.gives_two(node):
            return False
        owner, _, last = path.rpartition(".")
        of_lua = owner in ("bit", "math", "os", "string", "table") or (not owner and path in LUA)
        if owner in ("coroutine", "io"):
            return False
        of_torch = path in library.FUNCTION_RESULTS or library.is_class(path)
        of_torch |= owner == "torch" and gives_one(last)
        return (of_lua and self.t.counts.of(node) == (1, 1)) or of_torch

    def gives_letters(self, node: Call | Invoke) -> bool:
        if isinstance(node, Invoke):
            of_text = node.method == "byte" and self.t.kind(node.receiver) in ("string", "any", None)
            places = node.arguments if of_text else ()
        else:
            places = node.arguments[1:] if self.t.path(node.callee) == "string.byte" else ()
        return len(places) > 1 and not same_expression(places[0], places[1])

    def unpacked(self, node: Expression, in_list: bool = False) -> Py:
        """The items of a list. With a last place Lua has nil for those that are not there, which a list ends before."""
        assert isinstance(node, Call)
        plain = plain_calls.all_values(self.t, node) if self.t.plain_values else None
        if plain is not None:
            return plain
        table, bounds = node.arguments[0], node.arguments[1:]
        if bounds:
            is_list = self.t.kind(table) == "table" and self.t.representation(table) == "list"
            is_list = is_list and not self.t.type(table).has(tuples.MARK)
            if not is_list or len(bounds) > (2 if in_list else 1) or isinstance(bounds[0], tree.Unary):
                raise Problem("T7-217", node.line, "unpack with bounds")
            first = self.t.expressions.position(bounds[0])
            last = str(self.t.expressions.whole_number(bounds[1])) if len(bounds) > 1 else ""
            return atom(f"{self.t.value(table).at(code.ATOM)}[{code.stretch(first.text, last)}]")
        value = self.t.value(table)
        if self.t.kind(table) == "table" and self.t.representation(table) == "several":
            raise Problem("T7-217", node.line, "unpack of tables that are lists and others")
        if self.t.kind(table) == "table" and self.t.representation(table) == "dict":
            return atom(f"[item for _, item in {self.t.need('numbered')}({value})]")
        return value

    def argument_or(self, left: Expression, default: Expression) -> Py | None:
        t = self.t
        number = isinstance(left, Call) and t.path(left.callee) == "tonumber"
        index = left.arguments[0] if number and isinstance(left, Call) and left.arguments else left
        if isinstance(index, tree.Binary) and index.operator == "and":  # arg and arg[1]
            index = index.right
        if not (isinstance(index, Index) and isinstance(index.base, Name) and isinstance(index.key, Number)):
            return None
        if not t.scopes.is_global(index.base, "arg"):
            return None
        t.imports.add("sys")
        position = int(index.key.value)
        text = f"sys.argv[{position}]"
        if number:
            text = f"{'int' if t.whole(default) else 'float'}({text})"
        return Py(
            f"{text} if len(sys.argv) > {position} else {t.value(default).at(code.TERNARY)}", code.TERNARY
        )

    # Statements

    def statement(self, node: Call | Invoke) -> None:
        first = plain_calls.statement(self.t, node) if plain_calls.is_first(self.t, node) else None
        if first is not None:
            self.t.emit(first.text)
            return
        try:
            self._statement(node)
        except IndexError:
            raise self._too_few(node) from None
        except Undecided:
            fallback = plain_calls.statement(self.t, node) if self.t.plainly else None
            if fallback is not None:
                self.t.emit(fallback.text)
            elif self.t.plainly and self.takes_sole(node):
                self.statement(node)
            else:
                raise

    def _statement(self, node: Call | Invoke) -> None:
        t = self.t
        self.note_native(node)
        if t.training.statement(node) or t.models.statement(node) or matching.over_matches(t, node):
            return
        if isinstance(node, Call):
            if self.by_rule(node):
                return
        elif t.kind(node.receiver) == "tensor" and not t.types.function_called(node):
            if tensors.statement(t, node):
                return
        elif self._converts_loaded(node):
            t.emit(f"{t.value(node.receiver).at(code.ATOM)}.{node.method}()")
            return
        elif (t.kind(node.receiver), node.method) in library_rules.method_statements:
            library_rules.method_statements[t.kind(node.receiver) or "", node.method](t, node)
            return
        t.emit(self._call(node, False).text)

    def by_rule(self, node: Call) -> bool:
        """Write a call of a library's function of which nobody asks for a value; whether there is a rule for it."""
        path = self.t.path(node.callee)
        rule = library_rules.statements.get(path or "")
        if rule is not None:
            rule(self.t, node)
            return True
        return (
            path is not None and path.startswith("torch.") and tensors.torch_statement(self.t, node, path[6:])
        )

    def _converts_loaded(self, node: Invoke) -> bool:
        """Whether this converts something that a file gave: a module in place, of a tensor nothing comes of it."""
        receiver_type = self.t.type(node.receiver)
        return (
            node.method in ("float", "double") and receiver_type.kind is None and receiver_type.has("loaded")
        )

    def several(self, node: Expression, targets: tuple[Expression, ...]) -> bool:
        t = self.t
        if not isinstance(node, (Call, Invoke)):
            return False
        if t.training.several(node, targets):
            return True
        if isinstance(node, Invoke) and t.kind(node.receiver) == "criterion" and self.gives_two(node):
            raise Problem("T7-218", node.line, "what a criterion over classes gives beside its value")
        count = self.count(node)
        if count > 1:
            for function in t.types.function_called(node):
                if any(
                    returned.values and isinstance(returned.values[-1], tree.Vararg)
                    for returned in returns_of(function)
                ):
                    raise Problem("T7-216", node.line, "a function that gives as many values as it is given")
            self._refuse_more(node, len(targets))
            names = [t.unread(target) or t.target(target) for target in targets[:count]]
            names += ["_"] * (count - len(names))
            t.emit(f"{', '.join(names)} = {self.all_values(node)}")
            for target in targets[count:]:
                t.emit(f"{t.target(target)} = None")
            return True
        functions = t.types.function_called(node)
        if functions and all(self.gives_list(function) for function in functions):
            items = t.unpacking.items(self.all_values(node).text, t.unpacking.tables(node), targets)
            t.emit(f"{', '.join(t.target(target) for target in targets)} = {items}")
            return True
        if functions:
            self._refuse_more(node, len(targets))
        if isinstance(node, Invoke) and t.kind(node.receiver) == "tensor":
            return tensors.several(t, node, node.receiver, node.method, node.arguments, targets)
        path = t.path(node.callee) if isinstance(node, Call) else None
        if path is not None and path.startswith("torch.") and isinstance(node, Call) and node.arguments:
            return tensors.several(t, node, node.arguments[0], path[6:], node.arguments[1:], targets)
        return stdlib.several(t, node, path, targets)

    def _refuse_more(self, node: Call | Invoke, wanted: int) -> None:
        """Refuse names for values that a function gives in Lua, and not in the page."""
        count_range, count = self.t.counts.of(node), max(1, self.count(node))
        if count_range is not None and min(wanted, count_range[1]) > count:
            problem = Problem if self.t.counts.drops(node) else Undecided
            raise problem("T7-218", node.line, "the values of a call that a function has at its end")
