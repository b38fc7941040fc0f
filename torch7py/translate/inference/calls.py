"""Calls: of the program's own functions, of libraries, and of methods."""

from __future__ import annotations

from torch7py.translate import library, literals, tree
from torch7py.translate.argument_checks import named_arguments
from torch7py.translate.facts.methods import gives_new_tensor
from torch7py.translate.inference import entry_getters, library_objects, module_calls, tds, union_types
from torch7py.translate.inference.library_calls import LibraryCalls, optimizer_results
from torch7py.translate.inference.state import Inference
from torch7py.translate.inference.uses_of_methods import UsesOfMethods
from torch7py.translate.kind_rules import tensor_method
from torch7py.translate.kinds import Entry, LuaClass, Type, unify
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["CallKinds"]


def _is_new(node: Index) -> bool:
    return node.key_name == "new"


class CallKinds:
    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.types = inference.types
        self.getters = entry_getters.EntryGetters(inference.scopes)
        self.objects = library_objects.ObjectKinds(inference)
        self.uses = UsesOfMethods(inference)
        self.library = LibraryCalls(inference, self.bind, self.objects)

    def call(self, node: Call) -> Type:
        text = literals.text_of(node)
        if text is not None:
            return self._literal(node, text)
        path = self.types.path(node.callee)
        callee = self.inference.expression(node.callee)
        arguments = [self.inference.expression(argument) for argument in node.arguments]
        results = self.types.results.setdefault(node, [Type()])
        file = self.inference.files.get(node)
        if file is not None:  # require of a file of the program
            self.inference.rules.append(lambda: self._results(file, results, [], 0))
            return results[0]
        lua_class = self.types.classes.get(path) if path is not None else None
        if lua_class is not None:
            self._construct(lua_class, node, arguments, results[0])
            return results[0]
        copied = node.arguments[0] if path == "torch.deserialize" and len(node.arguments) == 1 else None
        if (
            isinstance(copied, Call)
            and self.types.path(copied.callee) == "torch.serialize"
            and copied.arguments
        ):
            value = self.types.by_node[copied.arguments[0]]
            self.inference.rules.append(lambda: unify(results[0], value))
            return results[0]
        if path == "cudnn.convert" and arguments:
            self.inference.rules.append(lambda: unify(results[0], arguments[0]))
            return results[0]
        if path is not None and self.library.call(path, node, arguments, results):
            return results[0]
        read = self.inference.loaded.get(node)  # by a function of the program's that only hands it on
        if read is not None:
            read.learn(results[0])
        seen: set[tree.Function] = set()
        seen_classes: set[LuaClass] = set()

        def takes(function: tree.Function, first: int) -> bool:
            """A function of the program takes the arguments, from its parameter number ``first`` (from 0) on."""
            new = function not in seen
            if new:
                seen.add(function)
                self.types.calls_of.setdefault(function, []).append(node)
                self.bind(function, node.arguments, arguments, first)
                entry = self.getters.entry(function, node.arguments, first)
                if entry is not None:
                    self.types.entries[node] = entry
            if node in self.types.entries:
                return self._entry(self.types.entries[node], results[0]) or new
            return new if read is not None else self._results(function, results, arguments, first) or new

        key = node.callee.key if isinstance(node.callee, Index) else None
        gives_tensor = isinstance(key, tree.String) and (key.value == "new" or gives_new_tensor(key.value))
        maker = node.callee.base if isinstance(node.callee, Index) and gives_tensor else None

        def call() -> bool:
            news = False
            if maker is not None and self.types.kind(maker) == "tensor":  # x.new(3, 4), x.cat(tensors, 1)
                news |= results[0].be("tensor")
                of_sizes = isinstance(key, tree.String) and key.value == "new"
                if (
                    of_sizes
                    and len(arguments) > 0
                    and all(argument.kind == "number" for argument in arguments)
                ):
                    news |= results[0].be_rank(len(arguments))
            for function in callee.find().functions:
                if function in self.types.known:
                    news |= self._known(self.types.known[function], arguments, results)
                    continue
                news |= takes(function, 0)
            if callee.kind == "class":
                for callee_class in callee.find().classes:
                    if callee_class not in seen_classes:
                        seen_classes.add(callee_class)
                        self._construct(callee_class, node, arguments, results[0])
                        news = True
            for function in self.types.methods_of(callee, "__call"):
                news |= takes(function, 1)
            if callee.has("optimizer") and len(arguments) >= 2:
                news |= optimizer_results(arguments, results)
                news |= self.library.optimized(arguments[0], arguments[1])
            if callee.kind in ("module", "criterion"):
                if self.inference.graphs and callee.kind == "module":
                    news |= results[0].mark("node")
                    if not node.arguments:
                        news |= results[0].be("tensor")
                if self.inference.graphs and callee.kind == "criterion" and len(arguments) == 1:
                    return results[0].mark("node") | results[0].be("tensor") | results[0].be_rank(1) | news
                news |= module_calls.forward(callee, results[0], arguments)
            return news

        self.inference.rules.append(call)
        return results[0]

    def _literal(self, node: Call, text: Expression) -> Type:
        """The value that a text says, which is like the default of the option that it comes from."""
        result = self.types.results.setdefault(node, [Type()])[0]
        self.inference.expression(text)
        name = text.key.value if isinstance(text, Index) and isinstance(text.key, tree.String) else None
        result.mark("literal")

        def learn() -> bool:
            default = self.inference.defaults.get(name or "")
            return default is not None and literals.described(default, result)

        self.inference.rules.append(learn)
        self.inference.guesses.append(lambda: self._numbered(result))
        return result

    def _numbered(self, literal: Type) -> bool:
        """A value of which nothing is known but that it is indexed by numbers: numbers by numbers."""
        if literal.kind is not None or not literal.has("by number"):
            return False
        literal.be_nil()
        return literal.be("table") | literal.mark("dict") | literal.of_elements().be("number")

    def _known(self, what: str, arguments: list[Type], results: list[Type]) -> bool:
        """What the functions give that are known by what they do."""
        if what == "clones":
            news = results[0].be_list()
            return news | (unify(results[0].of_elements(), arguments[0]) if arguments else False)
        return what == "flattens" and module_calls.flat_vectors(results)

    def _entry(self, entry: Entry, result: Type) -> bool:
        """What a call gives that names an entry of a table."""
        default = self.types.of(entry.default) if entry.default is not None else None
        return entry_getters.learn(self.types.of(entry.table), entry.name.value, default, result)

    def _results(
        self, function: tree.Function, results: list[Type], arguments: list[Type], first: int
    ) -> bool:
        """What a function gives; ``first``: how many parameters come before those of the arguments."""
        returns = self.types.returns.get(function)
        cases, news = self.inference.cases, False
        if returns is None:
            return False
        for index, result in enumerate(results):
            if union_types.result_of(function, index) not in self.inference.sinks:
                news |= unify(result, returns.at(index))
                continue
            tested = cases.narrowing.parameter.get(function) if cases is not None else None
            at = function.parameters.index(tested) - first if tested is not None else -1
            argument = arguments[at] if 0 <= at < len(arguments) else None
            by_case = (
                cases.result(function, index, argument)
                if cases is not None and argument is not None
                else None
            )
            if by_case is not None:
                news |= unify(result, by_case)
            else:
                self.inference.flows[result, returns.at(index)] = None
                news |= union_types.flow_back(result, returns.at(index))
        return news

    def _give(self, taken: Name | tree.Function, argument: Type) -> None:
        """Give a parameter an argument, or ``...`` of a function one of several."""
        if isinstance(taken, Name):
            parameter_type = self.inference.name_type(taken)
        else:
            parameter_type = self.types.varargs.setdefault(taken, Type())
        if taken in self.inference.sinks:
            self.inference.flows[parameter_type, argument] = None
            self.inference.rules.append(lambda: union_types.flow(parameter_type, argument))
        else:
            unify(parameter_type, argument)

    def _flow(self, parameter: Name, argument: Type) -> None:
        """Let a parameter learn what it is given, and that learn nothing from it."""
        parameter_type = self.inference.name_type(parameter)
        self.inference.rules.append(lambda: union_types.flow(parameter_type, argument))

    def bind(
        self, function: tree.Function, nodes: tuple[Expression, ...], arguments: list[Type], first: int
    ) -> None:
        if function in self.types.checks:
            self._bind_checked(function, nodes, arguments, first)
            return
        parameters = function.parameters[first:]
        open_end = bool(nodes) and isinstance(nodes[-1], (Call, Invoke, tree.Vararg))
        if function.vararg:
            for extra in arguments[len(parameters) :]:
                self._give(function, extra)
        places = self.getters.places(function)
        for index, parameter in enumerate(parameters):
            if index < len(arguments) and places is not None and first + index != places[1]:
                self._flow(parameter, arguments[index])  # one table says nothing of another
            elif index < len(arguments):
                self._give(parameter, arguments[index])
            elif not open_end:
                self.inference.name_type(parameter).be_nil()
        if open_end and not isinstance(nodes[-1], tree.Vararg):
            rest = parameters[len(arguments) :]
            self.inference.rules.append(lambda: self._spread(nodes[-1], rest, function))
            self.inference.guesses.append(lambda: self._left_over(nodes[-1], rest))

    def _bind_checked(
        self, function: tree.Function, nodes: tuple[Expression, ...], arguments: list[Type], first: int
    ) -> None:
        """The arguments of a function made by argcheck: by name, or in order with some left out."""
        checks = self.types.checks[function]
        table = named_arguments(checks, nodes, first)
        if table is not None:
            names = [rule.name for rule in checks.rules]
            for item in table.fields:
                at = names.index(item.key.value) if isinstance(item.key, tree.String) else 0
                if at < len(function.parameters):
                    self._give(function.parameters[at], self.inference.expression(item.value))
            return
        bound: list[bool] = []

        def bind() -> bool:
            kinds = dict(zip(nodes, arguments, strict=True))
            places = None if bound else checks.places(nodes, lambda node: kinds[node].kind, first)
            if places is None:
                return False
            bound.append(True)
            for position, argument in zip(places, arguments, strict=True):
                if first + position < len(function.parameters):
                    self._give(function.parameters[first + position], argument)
            return True

        self.inference.rules.append(bind)

    def _spread(self, call: Expression, parameters: tuple[tree.Name, ...], function: tree.Function) -> bool:
        """``f(g())``: parameters, and ``...``, of f get the values of g after its first."""
        news = False
        taken = [self.inference.name_type(parameter) for parameter in parameters]
        rest = self.types.varargs.setdefault(function, Type()) if function.vararg else None
        for called in self.types.function_called(call) if isinstance(call, (Call, Invoke)) else ():
            returns = self.types.returns.get(called)
            for index in range(1, returns.known if returns is not None else 0):
                type_ = taken[index - 1] if index <= len(taken) else rest
                if returns is not None and type_ is not None:
                    news |= unify(type_, returns.at(index))
        return news

    def _left_over(self, call: Expression, parameters: tuple[tree.Name, ...]) -> bool:
        """The parameters for which a function at the end of the arguments gives nothing, as far as is known by now."""
        news = False
        for function in self.types.function_called(call) if isinstance(call, (Call, Invoke)) else ():
            returns = self.types.returns.get(function)
            for index, parameter in enumerate(parameters, 1):
                parameter_type = self.inference.name_type(parameter)
                if returns is not None and index >= returns.known and not parameter_type.nil:
                    parameter_type.be_nil()
                    news = True
        return news

    def invoke(self, node: Invoke) -> Type:
        receiver = self.inference.expression(node.receiver)
        arguments = [self.inference.expression(argument) for argument in node.arguments]
        results = self.types.results.setdefault(node, [Type()])
        result, method = results[0], node.method
        receiver.mark("has methods")
        self.uses.guess(node, receiver, arguments, result)
        if method == "format":
            self.library.formats(node.receiver, arguments)
        seen: set[tree.Function] = set()

        inside = node.receiver.base if isinstance(node.receiver, Index) else None

        def invoke() -> bool:
            kind = receiver.kind
            part = inside is not None and self.types.kind(inside) == "tensor"
            if kind is None and (part or receiver.has("squeezed")):
                return receiver.be("tensor")  # what has methods is no number
            functions = self.types.function_called(node)
            if not functions and method in ("forward", "backward"):
                instead = "updateOutput" if method == "forward" else "updateGradInput"
                functions = self.types.methods_of(receiver, instead)
            if functions:
                news = False
                for function in functions:
                    if function not in seen:
                        seen.add(function)
                        self.types.calls_of.setdefault(function, []).append(node)
                        self.bind(function, node.arguments, arguments, 1)
                        if function.parameters and self.types.is_in_field(node):
                            unify(self.inference.name_type(function.parameters[0]), receiver)
                        news = True
                    if function in self.inference.either:
                        news |= module_calls.gradient(result, arguments)
                    else:
                        news |= self._results(function, results, arguments, 1)
                return news
            if receiver.has("node") and method in ("annotate", "split"):
                return module_calls.node_method(method, receiver, results)
            if kind == "tensor":
                news = False
                if method == "add" and len(arguments) == 2 and arguments[1].has("squeezed"):
                    news = arguments[1].kind is None and arguments[1].be("tensor")  # add(scale, x)
                return tensor_method(node, receiver, arguments, results) | news
            if kind in ("module", "criterion"):
                news = method in ("apply", "replace") and self._mark_module_parameters(arguments)
                in_turn = bool(node.arguments) and self._is_entry_in_loop(node.arguments[0])
                return module_calls.method(node, receiver, arguments, results, in_turn) | news
            if kind == "table" and receiver.has(tds.COUNTED):
                return tds.method(method, receiver, arguments, result)
            # Numbers have no methods: it is the error's text.
            if kind == "number" and receiver.has("message"):
                kind = "string"
            if kind == "string" and method in ("find", "match", "gsub"):
                return self.library.text_results(method, node, results)
            if kind == "string":
                if method in ("byte", "len"):
                    return result.be("number") | result.mark("whole")
                if method == "gmatch":
                    return result.be("matches")
                if method in library.LISTS_OF_METHODS:  # a method that torch gives to strings
                    return result.be_list("string")
                return result.be("string")
            if kind == "cmdline" and method == "option" and len(arguments) > 1:
                option = node.arguments[0]
                if (
                    isinstance(option, tree.String)
                    and library.option_name(option.value) in self.inference.options_read
                ):
                    return False
                if isinstance(option, tree.String) and arguments[1].kind in ("number", "string", "boolean"):
                    return receiver.of_field(library.option_name(option.value)).be(arguments[1].kind)
                return False
            if kind == "cmdline" and method == "parse":
                for option_name, field_type in list(receiver.find().fields.items()):
                    result.of_field(option_name).be_like(field_type)
                return result.be("table") | result.mark("record", "options")
            if kind == "cmdline" and method == "string":
                return result.be("string")
            if method in ("cuda", "cl") and kind in ("tensor", "module", "criterion"):
                return unify(result, receiver)
            if kind == "timer" and method == "time":
                return result.be("table") | result.of_field("real").be("number")
            if kind == "hdf5" and method == "read" and node.arguments:
                return result.be("dataset")
            if kind == "dataset" and method in ("all", "partial"):
                if node in self.inference.loaded:
                    self.inference.loaded[node].learn(result)
                if method == "partial":
                    result.be_rank(len(node.arguments))
                return result.be("tensor")
            if kind == "dataset" and method == "dataspaceSize":
                return _be_sizes(result)
            if kind in ("memory", "storage") and method == "size":
                return result.be("number") | result.mark("whole")
            if kind == "memory" and method in ("copy", "fill", "resize"):
                return unify(result, receiver)
            if kind == "memory" and method in library.LISTS_OF_METHODS:
                return result.be_list("number")
            if kind == "storage" and method in library.LISTS_OF_METHODS and _is_size(node.receiver):
                return _be_sizes(result)
            if kind in library_objects.METHODS:
                return self.objects.method(node, receiver, result)
            if kind == "file" and method == "readString":
                return result.be("string")
            if kind == "file" and method == "close":
                results[0].be_nil()  # of a command that failed
                return results[0].be("boolean")
            if kind == "file" and method in ("seek", "writeString"):
                return result.be("number")
            if kind == "file" and method == "read":
                return result.be("string")
            inferred = self.inference.use_site_types.receiver(node, receiver)
            if inferred is None or result.find() is receiver.find():  # which was a tensor until now
                return False
            return tensor_method(node, inferred, arguments, results)

        self.inference.rules.append(invoke)
        return result

    def _mark_module_parameters(self, arguments: list[Type]) -> bool:
        """What ``net:apply(f)`` and ``net:replace(f)`` give f."""
        news = False
        for function in arguments[0].find().functions if arguments else ():
            for parameter in function.parameters[:1]:
                news |= self.inference.name_type(parameter).be_any_layer()
        return news

    def _is_entry_in_loop(self, node: Expression) -> bool:
        """Whether an expression is each entry of a list in turn: ``v`` of ``for _, v in ipairs(list)``, ``list[i]``."""
        name = node.key if isinstance(node, Index) else node
        return isinstance(name, Name) and self.inference.scopes.of_name[name].kind == "loop"

    def _construct(self, lua_class: LuaClass, node: Call, arguments: list[Type], result: Type) -> None:
        """An object of a class of the program's own."""
        unify(result, lua_class.object())
        start = lua_class.constructor()
        if start is not None:
            self.types.calls_of.setdefault(start, []).append(node)
            takes_self = start is lua_class.find("__init") or self.types.begins_with_self(start)
            self.bind(start, node.arguments, arguments, 1 if takes_self else 0)


def _is_size(node: Expression) -> bool:
    """``x:size()``"""
    return isinstance(node, Invoke) and node.method == "size" and not node.arguments


def _be_sizes(result: Type) -> bool:
    """A table of sizes, which are whole."""
    return result.be_list("number", "sizes")
