"""Training steps: what is known of them, and how their statements are written."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.kinds import LuaClass, Type
from torch7py.translate.native import code, flat_parameters, initialization, plain_calls
from torch7py.translate.native.code import Py
from torch7py.translate.native.interfaces import training as interfaces
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.optimizers import finding, settings, writing
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.sharing import copy_with_same_parameters
from torch7py.translate.native.tensors.rules import in_place
from torch7py.translate.native.training.backward import BackwardPasses
from torch7py.translate.native.training.explicit_backward import Explicit
from torch7py.translate.native.training.explicit_backward_code import Written
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.native.training.losses import Losses
from torch7py.translate.native.training.parameter_lists import ParameterLists
from torch7py.translate.native.training.parameter_vectors import FlatVectors
from torch7py.translate.native.training.truncated_bptt import Carried
from torch7py.translate.native.training.unused_parameters import RunParts
from torch7py.translate.native.user_passes import has_user_passes
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import returns_of

__all__ = ["Training"]


class Training(interfaces.Training):
    vectors: FlatVectors
    losses: Losses
    explicit: Explicit
    carried: Carried
    parameter_lists: ParameterLists
    written: Written

    def __init__(self, translator: Translation) -> None:
        super().__init__(translator)
        self.t = translator
        self._pending = ""
        forwards = Forwards(translator, self)
        run_parts = RunParts(translator, forwards)
        self.vectors = FlatVectors(translator, self, run_parts)
        self.parameter_lists = ParameterLists(translator, self)
        self.losses = Losses(translator, self)
        self.explicit = Explicit(translator, self, forwards, self.losses)
        self.carried = Carried(translator, self, self.explicit)
        self.backward = BackwardPasses(translator, self, self.explicit, self.losses, self.carried)
        self.written = Written(translator, self.explicit, forwards, run_parts)

    def analyse(self) -> None:
        """See how the program trains, once all parts of the writer are there."""
        self.vectors.find()
        self.parameter_lists.find()
        if not self.t.plain_vectors:
            finding.find(self.t)
        scopes = self._scopes()
        self.backward.analyse(scopes)
        if not self.t.plain_passes:
            self.explicit.resolve(scopes)

    def _scopes(self) -> list[Scope]:
        """The functions, without the backward halves of the program's own layers, which have rules of their own."""
        halves = {
            lua_class.methods[name]
            for lua_class in self.t.classes.all
            for name in BACKWARD
            if name in lua_class.methods
            and lua_class.instance.kind in ("module", "criterion")
            and not has_user_passes(lua_class)
        }
        functions = self.t.scopes.of_function.items()
        scopes = [scope for function, scope in functions if function not in halves]
        return [*scopes, self.t.scopes.main]

    def known_function(self, name: str, function: tree.Function) -> bool:
        t = self.t
        known = t.types.known.get(function)
        if known is None or (known == "clones" and t.plain_modules):
            return False
        if known == "flattens" and t.plain_modules:
            t.emit(f"def {name}(*networks):")
            t.emit(f"    return {plain_calls.library_call(t, 'flat_weights', ['*networks'])}")
            t.emit("")
        if known == "clones" and t.goes_back_plainly:
            self._write_copies(name, function)
        elif known == "clones":
            self._refuse_state(function)
            module, number = (t.names.of(parameter) for parameter in function.parameters[:2])
            if t.lines and t.lines[-1] and not t.lines[-1].lstrip().startswith("#"):
                t.emit("")
            t.emit(f"def {name}({module}, {number}):")
            if self.carried.uncopied():
                t.need_class("copy")
                t.emit(
                    '    """The module for every step: with the same parameters, and outputs of their own."""'
                )
                t.emit(f"    if not any(True for _ in {module}.parameters()):")
                t.emit(f"        return [{module}] * {number}")
                t.emit(f"    return [StepCopy({module}) for _ in range({number})]")
            else:
                t.emit(
                    '    """The module for every step: copies with the same parameters compute the same."""'
                )
                t.emit(f"    return [{module}] * {number}")
            t.emit("")
        if known in ("drops", "keeps"):
            self._only_dropout_differs(function)
            parameter = t.names.of(function.parameters[0])
            network = t.fresh("each")
            t.gap()
            t.emit(f"def {name}({parameter}):")
            t.emit(f"    for {network} in {parameter}:")
            t.emit(f"        {network}.{'train' if known == 'drops' else 'eval'}()")
            t.emit("")
        return True

    def _write_copies(self, name: str, function: tree.Function) -> None:
        """Copies of a module that are modules of their own, each of which goes back by its last call."""
        t = self.t
        module, number = function.parameters[:2]
        original = t.names.of(module)
        t.gap()
        t.emit(f"def {name}({original}, {t.names.of(number)}):")
        t.emit('    """Copies of a module with the same parameters, one for every step."""')
        copies = copy_with_same_parameters(original)
        t.emit(f"    return [{copies} for _ in range({t.expressions.whole_number(number)})]")
        t.emit("")

    def _only_dropout_differs(self, function: tree.Function) -> None:
        """Refuse to switch all of a network where something else than its Dropouts computes otherwise in training."""
        for call in tree.every(self.t.program, Call):
            if function in self.t.types.function_called(call):
                argument_type = self.t.type(call.arguments[0]) if call.arguments else Type()
                if argument_type.kind != "table" or argument_type.of_elements().kind != "module":
                    raise Problem("T7-308", call.line, "dropout of something else than a list of networks")
        for applied in tree.every(function.body, Invoke):
            if applied.method == "apply" and self.t.type(applied.arguments[0]).functions != (function,):
                raise Problem("T7-202", applied.line, "apply of another function")
        for node in tree.every(self.t.program, Index):
            path = self.t.path(node) or ""
            if facts.differs_in_training(path) and not path.endswith("Dropout"):
                raise Problem("T7-308", function.line, f"dropout that is switched alone, beside {path}")
        for lua_class in self.t.classes.all:
            if (
                lua_class.instance.kind == "module"
                and "Dropout" not in lua_class.name
                and self._looks_at_mode(lua_class)
            ):
                raise Problem(
                    "T7-308", function.line, f"dropout that is switched alone, beside {lua_class.name}"
                )

    def _looks_at_mode(self, lua_class: LuaClass) -> bool:
        """Whether a layer of the program's own asks in which mode it is, or does something where that is set."""
        if not {"training", "evaluate"}.isdisjoint(lua_class.methods):
            return True
        return any(
            node.key_name == "train"
            for method in lua_class.methods.values()
            for node in tree.every(method.body, Index)
        )

    def _refuse_state(self, function: tree.Function) -> None:
        """Copies of layers that keep something between calls are not one layer."""
        for name in filter(facts.keeps_something, self.t.layer_names):
            raise Problem("T7-222", function.line, f"copies of a module with {name}")

    def alias_of(self, node: Name) -> Py | None:
        """What a name is in a page that stands for an optimizer or for weights in a page."""
        optimizer = self.optimizer_of.get(self.t.scopes.of_name[node])
        if optimizer is not None:
            return settings.listed(self.t, optimizer, node)
        return self.parameter_lists.whole(node) or self.vectors.alias(node)

    def _write_rest(self, node: Statement) -> bool:
        """Write what is left of an assignment of several things."""
        gone = self.dropped_targets.get(node)
        if not gone or node in self.dropped or not isinstance(node, tree.Assignment):
            return False
        left = [(x, v) for x, v in zip(node.targets, node.values, strict=True) if x not in gone]
        values = tuple(v for _, v in left)
        self.t.assignments.write(node, tuple(x for x, _ in left), values, isinstance(node, tree.Local))
        return True

    def only_evaluates(self, function: tree.Function) -> bool:
        if self.t.user_passes.is_inside(function):
            return False
        scope = self.t.scopes.of_function[function]
        if scope in self.steps or function in self.losses.graph_functions or function in self.closures:
            return False
        nodes = [
            n
            for s in self.t.surroundings.statements_of(scope)
            for n in tree.direct_nodes(s)
            if isinstance(n, Invoke)
        ]
        modules = [n for n in nodes if self.t.kind(n.receiver) == "module"]
        methods = {n.method for n in modules}
        inner = {n.method for n in tree.walk(function.body) if isinstance(n, Invoke)}
        methods |= inner.intersection(BACKWARD)  # in a function for an optimizer
        return "evaluate" in methods and "forward" in methods and methods.isdisjoint(BACKWARD)

    def is_handled(self, *nodes: Statement) -> bool:
        return any(
            n in self.dropped or n in self.losses.backward_at or n in self.constructed_at for n in nodes
        )

    def after(self, node: Statement) -> None:
        """What is made of a table's settings after the table."""
        for optimizer, definition in self.constructed_after.get(node, []):
            writing.write(self.t, optimizer, definition)

    def handles(self, node: Statement) -> bool:
        t = self.t
        for optimizer, definition in self.constructed_at.get(node, []):
            writing.write(t, optimizer, definition)
        if node in self.backward.objections:
            raise Problem("T7-226", node.line, self.backward.objections[node])
        if node in self.losses.unknown:
            raise Problem("T7-226", node.line, "a backward pass whose loss is in no variable")
        if node in self.vectors.flat:
            flat_parameters.write(t, node, self.vectors.flat[node])
            return True
        if self.parameter_lists.write(node):
            return True
        self.vectors.list_parameters(node)
        for total in self.losses.sums_at.get(node, []):
            t.emit(f"{total} = 0")
        for expression in self.losses.hoisted_at.get(node, []):
            t.emit(f"{self.losses.hoisted[expression]} = {t.calls.loss(expression)}")
            if expression in self.losses.summed:
                total = self.losses.summed[expression]
                t.emit(f"{total} = {total} + {self.losses.hoisted[expression]}")
        losses = self.losses.backward_at.get(node)
        if losses:
            self.refuse_idle(node)
            names = [loss if isinstance(loss, str) else t.names.of_variable(loss) for loss in losses]
            text = names[0] if len(names) == 1 else f"({' + '.join(names)})"
            scale = self.backward.scale_at(node)
            if scale is not None:
                used = [n for n in tree.walk(scale.arguments[0]) if isinstance(n, Name)]
                declared = [t.scopes.of_name[name].declaration for name in used]
                if any(name is not None and name.span.start > node.span.start for name in declared):
                    raise Problem("T7-226", scale.line, "gradients scaled by what is known only later")
                operator = "/" if scale.method == "div" else "*"
                text = f"({text} {operator} {t.value(scale.arguments[0]).at(code.ATOM)})"
            if self.steps_by_hand:
                # The rnn of 2015: each step's backward only took notes.
                t.emit(f"{self.pending()}.append({text})")
            else:
                t.emit(f"{text}.backward()")
                for module in self.carried.kept_states(node):
                    t.helpers["detach_states"] = None
                    t.emit(f"detach_states({t.value(module)})")
        if node in self.run_alone and node in self.dropped and isinstance(node, tree.Local):
            for value in node.values:
                t.emit(t.value(value).text)
            return True
        if node in self.dropped or node in self.explicit.left_out or self._write_rest(node):
            return True
        if isinstance(node, tree.Run) and node in self.losses.named:
            t.emit(f"{self.losses.named[node]} = {t.expressions.graph(node.call)}")
            return True
        return self._is_guard(node) or self._changed_itself(node)

    def refuse_idle(self, node: Statement) -> None:
        """A backward pass through modules of which none has weights: nothing of it would require a gradient."""
        statements = self.steps.get(self.t.surroundings.owner[node], [])
        calls = [n for s in statements if s in self.dropped for n in tree.direct_nodes(s)]
        back = [c for c in calls if isinstance(c, Invoke) and self.t.user_passes.is_backward(c)]
        modules = [c.receiver for c in back if self.t.kind(c.receiver) == "module"]
        if modules and not any(self.vectors.run_parts.has_weights(module) for module in modules):
            raise Problem("T7-226", node.line, "a backward pass through modules without weights")

    def _changed_itself(self, node: Statement) -> bool:
        """``gradients = gradients:div(n)``, which changes the vector and gives itself."""
        if not isinstance(node, tree.Assignment) or len(node.values) != 1:
            return False
        (target, *more), value = node.targets, node.values[0]
        if more or not (
            isinstance(target, Name) and isinstance(value, Invoke) and isinstance(value.receiver, Name)
        ):
            return False
        variable = self.t.scopes.of_name[target]
        flat_ones = self.vectors.flat_gradients.keys() | self.vectors.aliases.keys()
        if variable not in flat_ones or self.t.scopes.of_name[value.receiver] is not variable:
            return False
        return self.statement(value)

    def pending(self) -> str:
        """The list of losses whose backward pass is still to come."""
        if not self._pending:
            self._pending = self.t.names.fresh("pending", self.t.scopes.main)
            self.t.module_lines.append(
                f"{self._pending} = []  # losses of the steps since the last backward pass"
            )
        return self._pending

    def _is_guard(self, node: Statement) -> bool:
        """``if x ~= params then params:copy(x) end`` in the function given to optim, or ``assert(x == params)``."""
        if self.t.scope.function not in self.closures:
            return False
        condition: Expression
        if isinstance(node, tree.Run) and isinstance(node.call, Call) and node.call.arguments:
            if self.t.path(node.call.callee) != "assert":
                return False
            condition = node.call.arguments[0]
        elif isinstance(node, tree.If) and len(node.branches) == 1:
            condition, body = node.branches[0]
            if len(body.statements) != 1:
                return False
        else:
            return False
        if not isinstance(condition, tree.Binary) or condition.operator not in ("~=", "=="):
            return False
        points = {self.t.scopes.of_name[point] for point in self.points.values()}
        compared = {self.holders.of(n) for n in (condition.left, condition.right)}
        return bool(compared & {*self.vectors.aliases, *points})

    def is_weights(self, function: tree.Function, parameter: Name) -> bool:
        if function in self.multi_tensor_closures and function in self.points:
            return False
        return function in self.closures and parameter is function.parameters[0]

    def takes_weights(self, node: Call | Invoke, functions: Sequence[tree.Function]) -> bool:
        if not functions or not all(self.is_weights(f, p) for f in functions for p in f.parameters[:1]):
            return False
        if not self.closures.issuperset(functions) or not node.arguments:
            return False
        argument_holders = {self.holders.of(node.arguments[0])}
        for function in self.closures:  # what another one is given
            if function.parameters and argument_holders == {self.t.scopes.of_name[function.parameters[0]]}:
                argument_holders = {self.holders.of(weights) for weights in self.moved_by.get(function, [])}
        moved = {self.holders.of(weights) for f in functions for weights in self.moved_by.get(f, [])}
        if any(f.parameters for f in functions) and moved != argument_holders:
            raise Problem(
                "T7-228", node.line, "a function for optim, called with something else than optim moves"
            )
        return any(f.parameters for f in functions)

    def may_be_missing(self, function: tree.Function, parameter: Name) -> bool:
        if parameter not in function.parameters:
            return False
        at = function.parameters.index(parameter)
        for call in self.t.types.calls_of.get(function, []):
            argument_count = self.t.types.before(function, call) + len(call.arguments)
            last = call.arguments[-1] if call.arguments else None
            if isinstance(last, (Call, Invoke)) and self.t.types.function_called(last):
                argument_count += max(1, self.t.calls.least(last)) - 1
            elif isinstance(last, tree.Vararg) or (last is not None and self.t.is_unpacked(last)):
                continue
            if argument_count <= at:
                return True
        return False

    def call(self, node: Call | Invoke) -> Py | None:
        expression = self.written.value(node)
        if isinstance(node, Call):
            return expression
        if expression is not None:
            return expression
        if self.t.user_passes.is_backward(node):
            raise Problem(
                "T7-226", node.line, "a gradient that is used for something else than a backward pass"
            )
        return self.vectors.call(node)

    def statement(self, node: Call | Invoke) -> bool:
        t = self.t
        if self.written.statement(node):
            return True
        if isinstance(node, Call):
            optimizer = writing.of_call(self.t, node)
            if optimizer is None:
                return False
            writing.step(self.t, optimizer, node, None)
            return True
        if node.method == "copy" and len(node.arguments) == 1 and isinstance(node.receiver, Name):
            (value,) = node.arguments
            written = t.value(value)
            kept = self.carried.cut(node.receiver, value, written)
            if kept is not written:
                t.emit(f"{t.value(node.receiver)}.copy_({kept})")
                return True
        if node.method == "backwardThroughTime":
            losses = self.pending()
            t.emit(f"sum({losses}).backward()")
            t.emit(f"{losses}.clear()")
            t.emit(f"{t.value(node.receiver)}.detach()")
            return True
        gradients = self.vectors.gradients_of(node.receiver)
        if gradients is not None:
            self.vectors.on_gradients(node, gradients)
            return True
        weights = self.vectors.weights_of(node.receiver)
        if weights is not None:
            self.vectors.on_weights(node, weights)
            return True
        if not isinstance(node.receiver, Name):
            return False
        variable = t.scopes.of_name[node.receiver]
        if variable in self.vectors.filled:
            initialization.fill(t, node)
            return True
        return False

    def several(self, node: Expression, targets: tuple[Expression, ...]) -> bool:
        if not isinstance(node, Call):
            return False
        optimizer = writing.of_call(self.t, node)
        if optimizer is None:
            return False
        writing.step(self.t, optimizer, node, targets)
        return True

    def _closure_gradients(self, value: Expression) -> None:
        """The gradients that a closure returns: those of the parameters, perhaps changed first."""
        changed = isinstance(value, Invoke) and value.method in in_place
        name = value.receiver if changed and isinstance(value, Invoke) else value
        if self.vectors.gradients_of(name) is not None:
            moved = self.moved_by.get(self.t.scope.function, []) if self.t.scope.function is not None else []
            if not all(self.vectors.belong(name, weights) for weights in moved):
                raise Problem(
                    "T7-227", value.line, "gradients given to optim that are not those of the weights"
                )
            if isinstance(value, Invoke):
                self.statement(value)
        elif not isinstance(value, tree.Nil) and self.t.kind(value) == "tensor":
            raise Problem("T7-227", value.line, "gradients given to optim that are not the parameters' own")

    def handed_on(self, function: tree.Function, value: Expression) -> Py | None:
        functions = self.t.types.function_called(value) if isinstance(value, (Call, Invoke)) else []
        if function not in self.closures or not functions or not self.closures.issuperset(functions):
            return None
        self._hands_on(value)
        return self.t.expressions.graph(value)

    def _hands_on(self, value: Expression) -> None:
        """A closure that gives what another function gives: that must be the parameters' own gradients, too."""
        functions = self.t.types.function_called(value) if isinstance(value, (Call, Invoke)) else []
        moved = self.moved_by.get(self.t.scope.function, []) if self.t.scope.function is not None else []
        for function in functions:
            for node in returns_of(function):
                are_parameter_gradients = len(node.values) > 1 and all(
                    self.vectors.belong(node.values[1], w) for w in moved
                )
                if not are_parameter_gradients or self.vectors.gradients_of(node.values[1]) is None:
                    raise Problem("T7-227", value.line, "gradients that another function gives, for optim")

    def returns(self, node: tree.Return) -> bool:
        if self.t.scope.function in self.closures:
            point = self.points.get(self.t.scope.function) if self.t.scope.function is not None else None
            if point is not None:
                writing.give_gradient(self.t, point, node.values[1])
            loss = self.t.expressions.graph(node.values[0])
            is_tensor = self.t.expressions.is_graph(node.values[0])
            if point is None and len(node.values) == 1:
                self._hands_on(node.values[0])
            for value in node.values[1:] if point is None else ():
                self._closure_gradients(value)
            self.t.emit(f"return {loss}" if is_tensor else f"return torch.tensor({loss})")
            return True
        return False
