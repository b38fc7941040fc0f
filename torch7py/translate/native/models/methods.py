"""What a program calls on modules and criterions, and the fields that it reads of them."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from itertools import filterfalse

from torch7py.translate import page_library, tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD, FORWARD
from torch7py.translate.inference.module_calls import is_known_field
from torch7py.translate.kinds import ANY_LAYER
from torch7py.translate.layers import NotNative, natives
from torch7py.translate.layers.as_modules import only_weight, weight_rank
from torch7py.translate.layers.groups import (
    BIAS_APART,
    COLUMNS_ALIKE,
    DRAWN_ALIKE,
    DRAWN_BY_DEVIATION,
    FLAGS,
    ROWS_ALIKE,
    WITH_PEEPHOLES,
    WITHOUT_PEEPHOLES,
)
from torch7py.translate.layers.losses import is_function
from torch7py.translate.library import is_criterion
from torch7py.translate.native import code, devices, plain_calls, types_by_name
from torch7py.translate.native.analysis.unknown_values import a
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.gradients import refuse_untouched
from torch7py.translate.native.interfaces import models as interfaces
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.layer_names import LayerNames
from torch7py.translate.native.models import objects, plain_passes
from torch7py.translate.native.models.changed_weights import ChangedWeights
from torch7py.translate.native.models.constructions import Constructions
from torch7py.translate.native.models.encoder_decoder_state import Coupling
from torch7py.translate.native.models.entries import entry
from torch7py.translate.native.models.hooks import Hooks
from torch7py.translate.native.models.inputs import Inputs
from torch7py.translate.native.models.instantiation import Making
from torch7py.translate.native.models.layer_tests import LayerTests
from torch7py.translate.native.models.model_classes import WrittenClasses
from torch7py.translate.native.models.module_traversal import Surgery
from torch7py.translate.native.models.origins import Origins
from torch7py.translate.native.models.resized import resize
from torch7py.translate.native.models.sequences import Sequences
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.sharing import Sharing, copy_with_same_parameters, layers_in, refuse_half
from torch7py.translate.patching import altered
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["Models"]

# Methods that change what a file has of a module besides its weights.
_ABOUT_FILES = {"clearState", "lightSerial", "mediumSerial", "heavySerial", "serialMode"}


_OF_WEIGHTS = {"weight", "bias", "gradWeight", "gradBias"}


def _is_flag(node: Expression) -> bool:
    return isinstance(node, tree.Boolean)


class Models(interfaces.Models):
    constructions: Constructions
    written: WrittenClasses
    inputs: Inputs
    origins: Origins
    coupling: Coupling
    layer_names: LayerNames
    layer_tests: LayerTests

    def __init__(self, translator: Translation) -> None:
        super().__init__(translator)
        self.t = translator
        self.assigned_data = False
        self.changed_weights = ChangedWeights(translator)
        self.sequences = Sequences(translator, self.builders)
        self.coupling = Coupling(translator, self.sequences)
        self.constructions = Constructions(translator, self.builders, self.sequences, self.coupling)
        self.hooks = Hooks(translator, self.builders, self.coupling, self.constructions)
        self.origins = Origins(translator)
        self.inputs = Inputs(translator, self.origins)
        self.layer_names = LayerNames(translator, self.sequences.construction_calls)
        self.written = WrittenClasses(
            translator, self.builders, self.sequences, self.inputs, self.layer_names
        )
        self.making = Making(translator, self.builders, self.sequences, self.constructions, self.written)
        self.layer_tests = LayerTests(translator, self.builders, self.constructions, self.making)
        self.surgery = Surgery(translator, self.layer_tests)
        self.sharing = Sharing(translator)
        self.reads_gradients = any(  # which are zeros, and not None, when they are cleared
            node.key_name in ("gradWeight", "gradBias")
            and translator.kind(node.base) == "module"
            and not translator.type(node.base).find().classes
            for node in tree.every(translator.program, Index)
        )

    def plain_pass(self, node: Call | Invoke) -> Py:
        return plain_passes.pass_of(self.t, node)

    def open_pass(self, node: Invoke, every: bool) -> Py:
        return plain_passes.open_pass(self.t, node, every)

    def plain_node(self, node: Call) -> Py:
        return plain_passes.node_of(self.t, node)

    def refuse_unknown(self, node: Index | Invoke) -> None:
        if isinstance(node, Invoke):
            objects.refuse_unknown_method(self.t, node)
        else:
            objects.refuse_unknown_field(self.t, node)

    def is_set(self, node: Invoke) -> bool:
        return objects.is_set(self.t, node)

    def built(self, node: Call | Invoke) -> tuple[str, dict[str, str], bool]:
        t = self.t
        with altered(t, plain_modules=False):  # what is inside is no object, and computes as a whole
            path = t.path(node.callee) if isinstance(node, Call) else None
            if isinstance(node, Call) and path is not None and facts.parameters(path):
                with contextlib.suppress(Problem):
                    return (*self.base_layer(path, node), True)
            if is_criterion(path or ""):
                layer = self.constructions.layer(node)
                written = self.making.criterion(layer, node).text
                asked = any(n.value == "sizeAverage" for n in tree.every(t.program, tree.String))
                layer.args.texts["sizeAverage"] = "False"
                summed = self.making.criterion(layer, node).text if asked else written
                return (f"{written}, {summed}" if summed != written else written), {}, True
            native = self.making.constructed(node).text
            last = self.constructions.layers[-1] if self.constructions.layers else None
            is_alike = last is not None and last.name == path and bool(only_weight(last))
            return native, {} if last is None else last.args.texts, is_alike

    def base_layer(self, name: str, node: Call) -> tuple[str, dict[str, str]]:
        layer = self.constructions.construct(f"nn.{name.partition('.')[2]}", node)
        text = self.making.plain(layer)
        if text is None and layer.name in natives and facts.takes_items(layer.name):
            try:
                native = natives[layer.name](layer.args)
            except NotNative as reason:
                raise Problem(reason.code, node.line, str(reason)) from reason
            if not native.helpers and not native.setup:
                text = native.make  # whose items the library's call counts from 0
                self.plain_modules.append((layer, text))
        if text is None or not (weight_rank(layer.name) or facts.without_weights(layer.name)):
            raise Problem("T7-242", node.line, f"a class that derives from {name}")
        return text, layer.args.texts

    def call(self, node: Call | Invoke) -> Py | None:
        t = self.t
        if isinstance(node, Call):
            if facts.is_serial(t.path(node.callee)) and len(node.arguments) == 1:
                return t.value(node.arguments[0])  # a file has the module
            if t.graphs.makes_graph(node) and len(node.arguments) == 2:
                raise Undecided("T7-223", node.line, "a graph that has no class")
            if self.builders.is_construction(node):
                return objects.built(t, self, node) if t.plain_modules else self._made(node)
            if t.kind(node.callee) in ("module", "criterion") and t.path(node.callee) is None:
                if t.type(node).has("node") and not t.graphs.mode:
                    raise Undecided("T7-221", node.line, "a node of a graph that has no class")
                if t.plain_passes and t.classes.current is None:
                    raise Undecided(
                        "T7-226", node.line, "a call of a module of which the way back is not known"
                    )
                return self.inputs.forward(node.callee, node.arguments, node.line)
            return None
        if t.plain_modules and t.graphs.is_node(node.receiver):
            raise Undecided("T7-221", node.line, "a node of a graph that has no class")
        if self.builders.is_construction(node) and (not t.plain_modules or objects.is_set(t, node)):
            return objects.built(t, self, node) if t.plain_modules else self.making.constructed(node)
        kind = t.kind(node.receiver)
        if kind not in ("module", "criterion"):
            return None
        method, receiver = node.method, node.receiver
        is_forward = method == "updateOutput" and not t.plain_modules  # of the class, as it is written
        if t.types.function_called(node) and not (is_forward or t.classes.bodies.passes_down(node)):
            return None
        if t.plain_passes and t.classes.current is None and method in {*FORWARD, *BACKWARD}:
            raise Undecided("T7-226", node.line, f"{method}, of which the whole way back is not known")
        if method in ("forward", "updateOutput"):
            return self.inputs.forward(receiver, node.arguments, node.line)
        if method == "add":  # before anything of it is written, which may be statements
            added = self._added(node)
            if added is not None:
                return added
        base = t.value(receiver).at(code.ATOM)
        if method in _ABOUT_FILES:
            return atom(base)
        if method in ("training", "evaluate"):
            return atom(f"{base}.{'train' if method == 'training' else 'eval'}()")
        if method == "clone":
            if node.arguments:
                refuse_half(t, node, node.arguments)
                if t.goes_back_plainly:  # a copy has its own last call to go back by
                    return atom(copy_with_same_parameters(base))
                flow = t.training.flow
                if flow.loops(flow.statement(node)) and t.training.carried.uncopied():
                    t.need_class("copy")
                    return atom(f"StepCopy({base})")
                return atom(base)  # shares its weights
            if self.sharing.becomes_shared(node) is not None:
                return atom(base)
            t.imports.add("copy")
            owner = t.classes.owners.get(t.scope.function) if t.scope.function is not None else None
            begins = owner is not None and t.scope.function is owner.methods.get("__init")
            if not begins and t.training.explicit.keeps_output(receiver):
                t.emit(f"{base}.last_output = None  # has a graph, which is not copied")
            return atom(f"copy.deepcopy({base})")
        if method in ("cuda", "cl"):
            return devices.moved(t, receiver, method)
        if method in ("float", "double"):
            return atom(f"{base}.{method}(){'.cpu()' if t.gpus else ''}")
        if method == "type" and len(node.arguments) == 1 and isinstance(node.arguments[0], tree.String):
            conversion = {"torch.FloatTensor": "float", "torch.DoubleTensor": "double"}.get(
                node.arguments[0].value
            )
            if conversion is not None:
                return atom(f"{base}.{conversion}(){'.cpu()' if t.gpus else ''}")
            if node.arguments[0].value == "torch.CudaTensor":
                return devices.moved(t, receiver, "cuda")
        if method == "type" and len(node.arguments) == 1:
            by_text = types_by_name.converted(t, receiver, node.arguments[0])
            if by_text is not None:
                return by_text
        if method in _ABOUT_FILES:
            return atom(base)
        if method == "remove":
            position = t.expressions.position(node.arguments[0]).text if node.arguments else "-1"
            return atom(f"{base}.pop({position})")
        if method == "insert":
            position = (
                t.expressions.position(node.arguments[1]).text if len(node.arguments) > 1 else f"len({base})"
            )
            return atom(f"{base}.insert({position}, {t.value(node.arguments[0])})")
        if method == "size" and not node.arguments and t.types.kind(receiver) == "module":
            return atom(f"len({base})")
        if method == "share":
            return self.sharing.copy(node)
        if method == "get":
            if self.layer_tests.is_parallel_at(node):
                return atom(f"{base}.module")
            return atom(f"{base}[{t.expressions.position(node.arguments[0])}]")
        if method == "zeroGradParameters":
            kept = t.plain_vectors or t.training.vectors.flat or self.reads_gradients
            return atom(f"{base}.zero_grad({'set_to_none=False' if kept else ''})")
        if method == "updateParameters" and self.sharing.may_share(node) and not _moves_once(node):
            rate, p = t.value(node.arguments[0]).at(code.NEGATE), t.of_loop("p")
            t.emit("# shared weights move once for each module that has them, as in Torch7")
            t.emit(f"for _, {p} in {base}.named_parameters(remove_duplicate=False):")
            t.emit(f"    if {p}.grad is not None:")
            t.emit(f"        {p}.data.add_({p}.grad, alpha=-{rate})")
            return atom("")
        if method == "updateParameters" and t.training.explicit.is_stale(receiver):
            # outputs from before the step may still go back: autograd does not see a change of data
            rate, p = t.value(node.arguments[0]).at(code.NEGATE), t.of_loop("p")
            t.emit(f"for {p} in {base}.parameters():")
            t.emit(f"    if {p}.grad is not None:")
            t.emit(f"        {p}.data.add_({p}.grad, alpha=-{rate})")
            return atom("")
        if method == "updateParameters":
            return atom(f"torch.optim.SGD({base}.parameters(), lr={t.value(node.arguments[0])}).step()")
        if method == "gradParamClip" and len(node.arguments) == 1:
            self.t.helpers["clip_gradients"] = None
            t.imports.add("math")
            return atom(f"clip_gradients({base}, {t.value(node.arguments[0])})")
        if method == "updateGradParameters" and node.arguments:
            args = ", ".join(t.value(argument).text for argument in node.arguments)
            return atom(f"{t.need('momentum_gradients')}({base}, {args})")
        if method == "maxParamNorm" and len(node.arguments) == 1:
            return self._limited(node, base)
        if method == "forget":
            if self.making.has_forget(receiver):
                return atom(f"{base}.forget()")
            return atom(f"{t.need('forget')}({base})")
        looked = t.training.parameter_lists.whole(node) or self.surgery.value(node)
        if looked is not None:
            return looked
        reason = f"the method {method} of {a(kind)}"
        if plain_calls.goes_through_modules(t, node):
            raise t.of_each_module("T7-202", node.line, reason)
        is_in_library = plain_calls.has_method(kind, method) or plain_calls.may_be_of_program(t, node)
        raise (Undecided if is_in_library else Problem)("T7-202", node.line, reason)

    def _made(self, node: Call) -> Py:
        """A construction, Undecided where the library has a module for it."""
        try:
            return self.making.constructed(node)
        except Problem as problem:
            if self.t.path(node.callee) not in page_library.entries("LAYER_MODULES"):
                raise
            raise Undecided(problem.code, problem.line, problem.reason) from problem

    def statement(self, node: Call | Invoke) -> bool:
        t = self.t
        if (
            isinstance(node, Invoke)
            and node.method in _ABOUT_FILES
            and t.kind(node.receiver) == "module"
            and not t.types.function_called(node)
        ):
            return True
        if isinstance(node, Invoke) and self.surgery.statement(node):
            return True
        if isinstance(node, Invoke) and node.method == "forget" and self.making.keeps_nothing(node.receiver):
            return True
        if (
            isinstance(node, Invoke)
            and node.method == "remember"
            and t.kind(node.receiver) == "module"
            and not t.types.function_called(node)
        ):
            self.sequences.check(node)
            return True
        if isinstance(node, Invoke) and node.method == "share" and t.kind(node.receiver) == "module":
            if not isinstance(node.receiver, Name):
                raise Undecided("T7-202", node.line, "share of a module that is in no variable")
            shared = self.sharing.copy(node)
            sources = t.integers.sources(t.scopes.of_name[node.receiver])
            copied = sources[0] if len(sources) == 1 and isinstance(sources[0], Invoke) else None
            if copied is None or self.sharing.becomes_shared(copied) is not node:
                t.emit(f"{t.target(node.receiver)} = {shared}")
            return True
        if (
            isinstance(node, Invoke)
            and node.method in ("cuda", "cl", "float", "double", "type")
            and t.kind(node.receiver) == "criterion"
            and any(is_function(layer.name) for layer in t.type(node.receiver).find().layers)
        ):
            return True  # a function computes where its arguments are
        if isinstance(node, Invoke) and node.method == "remove" and t.kind(node.receiver) == "module":
            position = t.expressions.position(node.arguments[0]).text if node.arguments else "-1"
            t.emit(f"del {t.value(node.receiver).at(code.ATOM)}[{position}]")
            return True
        if (
            isinstance(node, Invoke)
            and node.method == "updateParameters"
            and t.kind(node.receiver) == "module"
        ) and t.training.explicit.is_stale(node.receiver):
            self.call(node)
            return True
        if isinstance(node, Invoke) and node.method == "resetSize" and t.kind(node.receiver) == "module":
            return resize(t, node)
        if isinstance(node, Invoke) and node.method == "reset" and t.kind(node.receiver) == "module":
            if t.types.function_called(node):  # a layer of the program's own
                return False
            self._reset(node)
            return True
        return isinstance(node, Invoke) and self._add(node)

    def _added(self, node: Invoke) -> Py | None:
        """``container:add(a):add(b)`` as a value, which is the container."""
        container: Expression = node
        while isinstance(container, Invoke) and container.method == "add":
            container = container.receiver
        if not self._add(node):
            return None
        if not isinstance(container, Call):
            return self.t.value(container)
        return atom(self.t.lines.pop().strip())  # it is made where it is added to, and append gives it

    def _add(self, node: Invoke) -> bool:
        """``container:add(a):add(b)``, of a container that was made before; whether it is that."""
        t = self.t
        parts: list[Expression] = []
        container: Expression = node
        while isinstance(container, Invoke) and container.method == "add":
            if len(container.arguments) != 1:
                return False
            parts.insert(0, container.arguments[0])
            container = container.receiver
        if not parts or t.kind(container) != "module":
            return False
        own = t.types.self_of.get(t.scopes.of_name[container]) if isinstance(container, Name) else None
        classes = t.type(container).find().classes if own is None else (own,)
        parents = {lua_class.parent or "" for lua_class in classes}
        if isinstance(container, Call):  # ``block(3, 8):add(...)``, of a function or a class
            grown = {layer.name for layer in t.type(container).find().layers} | parents
            is_made = t.types.function_called(container) or t.kind(container.callee) == "class"
            if not (is_made and grown and all(map(facts.grows, grown))) or any(
                map(facts.is_container, parents)
            ):
                return False
        elif not isinstance(container, (Name, Index, Invoke)):
            return False
        if not all(facts.is_chain(parent) or facts.is_container(parent) for parent in parents):
            return False
        if not t.plain_layers.written.isdisjoint(classes):
            return False
        base = t.value(container).at(code.ATOM)
        if any(map(facts.is_container, parents)):
            base += ".modules_"
        adds = [f".append({t.value(part)})" for part in parts]
        if isinstance(container, Call):  # which makes one once
            adds = ["".join(adds)]
        for add in adds:
            t.emit(f"{base}{add}")
        return True

    def _limited(self, node: Invoke, base: str) -> Py:
        """``model:maxParamNorm(longest)``, of layers whose rows are those of PyTorch's, or its columns."""
        names = set(filterfalse(facts.without_weights, layers_in(self.t.type(node.receiver))))
        over = names & COLUMNS_ALIKE
        if not names or names - ROWS_ALIKE - over or (over and names & WITHOUT_PEEPHOLES):
            raise Problem(
                "T7-202", node.line, "maxParamNorm of layers whose weights lie otherwise in PyTorch"
            )
        more = ", by_input=(nn.LSTM, nn.LSTMCell)" if over else ""
        if names & WITH_PEEPHOLES:
            more += f", but={self.t.need('PeepholeLSTM')}"
        return atom(f"{self.t.need('limit_norms')}({base}, {self.t.value(node.arguments[0])}{more})")

    def _reset(self, node: Invoke) -> None:
        """``model:reset([deviation])``, of layers whose first weights are drawn alike in PyTorch."""
        t = self.t
        looked_at = self.layer_tests.is_any(node.receiver)
        names = self.layer_tests.possible(node.receiver) if looked_at else layers_in(t.type(node.receiver))
        alike = (
            DRAWN_BY_DEVIATION if node.arguments else DRAWN_ALIKE | {*filter(facts.normalizes_batches, names)}
        )
        if (
            len(node.arguments) > 1
            or not names
            or t.types.function_called(node)
            or not all(name in alike or facts.without_weights(name) for name in names)
        ):
            raise Problem("T7-202", node.line, "the method reset of a module")
        base = t.value(node.receiver).at(code.ATOM)
        if node.arguments:
            t.imports.add("math")
            t.emit(f"{t.need('draw_weights')}({base}, {t.value(node.arguments[0])})")
            return
        layer = t.fresh("layer")
        t.emit(f"for {layer} in {base}.modules():")
        t.emit(f'    if hasattr({layer}, "reset_parameters"):')
        t.emit(f"        {layer}.reset_parameters()")

    def has_length(self, node: Expression) -> bool:
        module_type = self.t.type(node).find()
        return (
            not module_type.classes
            and bool(module_type.layers)
            and all(facts.is_chain(x.name) for x in module_type.layers)
        )

    def setting(self, target: Index) -> str | None:
        name = target.key_name or ""
        layers = self.t.type(target.base).find().layers if self.t.kind(target.base) == "module" else []
        if not layers or any(name not in FLAGS.get(layer.name, ()) for layer in layers):
            return None
        if not isinstance(target.base, Name) or self.making.is_inside(target.base):
            raise Problem("T7-225", target.line, f"{name} of a module that is a part of another one")
        return f"{self.t.value(target.base).at(code.ATOM)}.{name}"

    def assign(self, target: Index, value: Expression) -> bool:
        t = self.t
        if self.surgery.assign(target, value):
            return True
        if t.path(target) in ("nn.FastLSTM.usenngraph", "nn.GRU.usenngraph") and _is_flag(value):
            return True  # how it is computed, not what
        name = target.key_name or ""
        if t.kind(target.base) == "criterion" and name == "sizeAverage" and isinstance(value, tree.Boolean):
            names = {layer.name for layer in t.type(target.base).find().layers}
            if names and not any(map(is_function, names)) and not t.type(target.base).find().classes:
                reduction = "mean" if value.value else "sum"
                t.emit(f"{t.value(target.base).at(code.ATOM)}.reduction = {code.quoted(reduction)}")
                return True
        if self._is_same_in_page(target, value):
            return True
        if name == "updateGradInput" and self._is_idle(value) and self._may_be_without_gradient(target.base):
            base, function = t.value(target.base).text, t.value(value).text
            t.emit(plain_calls.library_call(t, "store_idle_gradient", [base, function]).text)
            return True
        if t.kind(target.base) == "module" and name == "gradInput" and isinstance(value, tree.Nil):
            return True  # it need not be computed: autograd only computes what is asked for
        if t.kind(target.base) == "module" and isinstance(value, tree.Nil) and self._taken_away(target, name):
            return True
        if t.kind(target.base) != "module" or name not in ("accGradParameters", "updateParameters"):
            return False
        if not isinstance(value, tree.Function) or value.body.statements:
            raise Problem("T7-225", target.line, f"{name} of a module replaced by something else")
        if name == "updateParameters" and self._has_no_gradients(target.base):
            return True  # said already, in the page's words
        if name == "updateParameters":
            raise Problem("T7-225", target.line, "weights that stay, whose gradients are taken")
        # Which optim's own functions do here, too.
        if t.training.vectors.decays(target) and not t.plain_vectors:
            raise Problem("T7-228", target.line, "weights that stay, in a program that may decay them")
        t.emit(f"{t.value(target.base).at(code.ATOM)}.requires_grad_(False)")
        return True

    def _is_same_in_page(self, target: Index, value: Expression) -> bool:
        """``cudnn.X.updateOutput = nn.Y.updateOutput`` of layers that are one in PyTorch, the only ones put there."""
        t = self.t
        paths = [t.path(node.base) for node in (target, value) if isinstance(node, Index)]
        if len(paths) < 2 or None in paths or target.key_name not in {*FORWARD[1:], *BACKWARD[1:]}:
            return False
        rules = [natives.get(f"nn.{(path or '').partition('.')[2]}") for path in paths]
        if rules[0] is None or rules[0] is not rules[1] or getattr(value, "key_name", "") != target.key_name:
            return False
        put = [x for n in tree.every(t.program, tree.Assign) for x in n.targets]
        put += [n.target for n in tree.every(t.program, tree.FunctionStatement)]
        return not any(isinstance(x, Index) and x is not target and t.path(x.base) in paths for x in put)

    @staticmethod
    def _is_idle(value: Expression) -> bool:
        """Whether this is a function that does nothing."""
        if not isinstance(value, tree.Function):
            return False
        first = value.body.statements[0] if value.body.statements else None
        return first is None or (isinstance(first, tree.Return) and not first.values)

    def _may_be_without_gradient(self, module: Expression) -> bool:
        """Whether a module of PyTorch's may be one that takes no gradient of its input: nobody asks for any."""
        t = self.t
        if t.plain_modules or t.kind(module) not in ("module", "any", None):
            return False
        alone = {node.call for node in tree.every(t.program, tree.Run)}
        asked = [
            node
            for node in tree.every(t.program, Invoke)
            if node.method in ("backward", "updateGradInput") and t.kind(node.receiver) != "criterion"
        ]
        read = any(node.key_name == "gradInput" for node in tree.every(t.program, Index))
        return not read and alone.issuperset(asked)

    def _taken_away(self, target: Index, name: str) -> bool:
        """``layer.bias = nil``, of layers that compute without one, and fields that no layer has."""
        t = self.t
        if t.type(target.base).find().classes or not target.dotted or not name:
            return False
        if name == "bias" and {layer.name for layer in t.type(target.base).find().layers} <= BIAS_APART:
            t.emit(f"{t.value(target.base).at(code.ATOM)}.bias = None")
            return True
        if name == "gradWeight":
            t.emit(f"{t.value(target.base).at(code.ATOM)}.weight.grad = None")
            return True
        if name == "gradBias":  # of a bias that is taken away as well, or with the other gradients
            names = ("bias", "gradWeight")
            return any(
                isinstance(x, Index)
                and any(_is_field(x, other) for other in names)
                and tree_queries.same_expression(x.base, target.base)
                for n in tree.every(t.program, tree.Assign)
                for x, assigned in zip(n.targets, n.values, strict=False)
                if isinstance(assigned, tree.Nil)
            )
        return not is_known_field(name) and name not in t.types.program_fields | t.types.fields_of_modules

    def field(self, node: Index) -> Py | None:
        t = self.t
        if t.kind(node.base) not in ("module", "criterion") or not isinstance(node.key, tree.String):
            return None
        by_hand = t.user_passes.field(node)
        if by_hand is not None:
            return by_hand
        if t.type(node.base).find().classes:
            return None
        name = node.key.value
        kept = t.training.written.field(node)
        if kept is not None:
            return kept
        if t.plain_passes and t.classes.current is None and name in ("output", "gradInput"):
            return atom(f"{t.value(node.base).at(code.ATOM)}.{name}")
        base = t.value(node.base).at(code.ATOM)
        if name == "output" and node in self.hooks.reads():
            return atom(f"{base}.output")
        if t.apart and t.type(node.base).has(ANY_LAYER) and name in _OF_WEIGHTS:
            may_lack = not t.must_be(node) and not self.layer_tests.has_weights(node)
            if may_lack or name.startswith("grad"):  # which PyTorch has when the first has been computed
                self.layer_names.need(of_classes=False)
                raise Undecided("T7-225", node.line, f"the field {name}, which not all modules have")
        if name in ("weight", "bias"):
            kept_at = f"{base}.{entry(t, node, name)}"
            return atom(f"{kept_at}.data" if self.assigned_data else kept_at)
        if name in ("gradWeight", "gradBias"):
            refuse_untouched(t, node)
            return atom(f"{base}.{entry(t, node, name.removeprefix('grad').lower())}.grad")
        if name in ("running_mean", "running_var"):
            return atom(f"{base}.{name}")
        if name in ("forwardnodes", "backwardnodes"):
            return t.graphs.nodes_of(node)  # for the layers in them and what they are annotated with
        size = self.surgery.field(node)
        if size is not None:
            return size
        if name in t.types.program_fields and name not in t.types.fields_of_modules:
            return atom(f"getattr({base}, {code.quoted(code.attribute_name(name))}, None)")
        if self.is_program_field(node):
            return atom(f"{base}.{code.attribute_name(name)}")
        layers = {layer.name for layer in t.type(node.base).find().layers}
        if name in ("affine", "eps", "momentum") and layers and all(map(facts.normalizes_batches, layers)):
            return atom(f"{base}.{name}")
        alone = all(facts.is_chain(layer) or facts.is_parallel(layer) for layer in layers)
        if name == "modules" and (alone if layers else self.layer_tests.plain()):
            return atom(base)
        if name == "modules" and self.layer_tests.is_chain_at(node.base):
            return atom(base)
        raise Problem("T7-225", node.line, f"the field {name} of a module")

    def is_program_field(self, node: Index) -> bool:
        if not isinstance(node.key, tree.String) or self.t.kind(node.base) != "module":
            return False
        if node.key.value in self.t.types.fields_of_modules:
            return True
        return node.key.value in self.t.types.program_fields and not self.t.type(node.base).find().classes

    def _has_no_gradients(self, layer: Expression) -> bool:
        """Whether the program has a layer not take its gradients, too."""
        return any(
            isinstance(x, Index)
            and _is_field(x, "accGradParameters")
            and tree_queries.same_expression(x.base, layer)
            for n in tree.every(self.t.program, tree.Assign)
            for x in n.targets
        )

    def is_parameter(self, node: Expression) -> bool:
        """Whether an expression is a weight of a layer, or a part of one."""
        while True:
            if isinstance(node, tree.Paren):
                node = node.inner
            elif isinstance(node, Index) and self.t.kind(node.base) == "tensor":
                node = node.base
            elif isinstance(node, Invoke) and self.t.kind(node.receiver) == "tensor":
                node = node.receiver
            else:
                break
        if not isinstance(node, Index) or self.t.type(node.base).find().classes:
            return False
        return self.t.kind(node.base) == "module"

    def changed(self, node: Expression, target: Expression | None = None) -> AbstractContextManager[None]:
        is_changed = target is None or self.changed_weights.takes(target, node)
        return altered(self, assigned_data=self.assigned_data or (is_changed and self.is_parameter(node)))


def _is_field(node: Index, name: str) -> bool:
    return node.key_name == name


def _moves_once(node: Invoke) -> bool:
    """Whether a step of nn.StochasticGradient moves weights, each shared one once; its class in Lua says so."""
    return any(
        isinstance(argument, tree.String) and argument.value == "shared weights once"
        for argument in node.arguments[1:]
    )
