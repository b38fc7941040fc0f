"""What an index gives: a field of a module, of an object or of a table, an element of a tensor or of a list."""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.inference import tuples
from torch7py.translate.inference.state import Inference
from torch7py.translate.kind_rules import index_tensor, module_field
from torch7py.translate.kinds import Type, unify
from torch7py.translate.library import CONFUSION_FIELDS, FUNCTION_RESULTS
from torch7py.translate.tree import Expression, Index

__all__ = ["IndexKinds", "of_json"]

# Fields that a module may have: what has one may be a model that a file gave.
_OF_MODULES = {"weight", "bias", "gradWeight", "gradBias", "modules", "output", "gradInput"}
# Fields of modules and of others that are no tables.
_OF_OTHERS = _OF_MODULES | {"new", "real", "train", "output", "options"}


class IndexKinds:
    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.types = inference.types

    def of(self, node: Index) -> Type:
        """The type of an element or a field."""
        path = self.types.path(node)
        if path in ("io.stdout", "io.stderr", "io.stdin"):
            return Type("file")
        by_name = not isinstance(node.key, tree.String) and self.types.path(node.base) == "optim"
        if by_name or (path is not None and path.startswith("optim.") and path[6:].islower()):
            if by_name:
                self.inference.expression(node.key).be("string")
            method = Type("function")
            method.mark("optimizer")
            return method
        if path in FUNCTION_RESULTS:
            constants = {"math.pi": "number", "math.huge": "number", "ffi.os": "string", "jit.os": "string"}
            return Type(constants.get(path, "function"))
        base = self.inference.expression(node.base)
        key = self._key(node.key)
        result = Type()
        name = node.key_name
        if name is not None:
            self.inference.with_names.append(base)
            # what is not assigned in the program, a library or another file has
            elsewhere = self.types.path(node.base) is not None
            base.mark("has names of others" if elsewhere or name in _OF_OTHERS else "has names")
        elif not isinstance(node.key, tree.Table):
            base.mark("has items")

        if name in ("output", "gradInput"):  # of one of several modules
            self.inference.guesses.append(
                lambda: (
                    base.kind == "module"
                    and not base.find().classes
                    and result.kind is None
                    and result.be("tensor")
                )
            )
        of_row = self.inference.expression(node.base.base) if isinstance(node.base, Index) else None

        if path is not None and facts.class_of(path) is not None and self.types.class_named(node) is None:
            # a variable may hold one of the program's own classes as well, and is no name of that
            self.inference.rules.append(lambda: result.kind == "class" and result.be("function"))

        def index() -> bool:
            use_site_type = self.inference.use_site_types.base(node, base)
            if use_site_type is not None:
                return index_tensor(use_site_type, node, result, self.types)
            kind = base.kind
            if kind is None and of_row is not None and of_row.kind == "tensor" and name is None:
                return base.be("tensor")  # x[i][j]: numbers have no elements
            if kind == "tensor":
                return index_tensor(base, node, result, self.types)
            if kind == "string" or kind == "function":
                return False
            if kind == "confusion":
                field_kind = CONFUSION_FIELDS.get(name or "")
                rank = {"valids": 1, "unionvalids": 1, "mat": 2}.get(name or "")
                news = result.mark("whole") if name == "nclasses" else False
                return news | (field_kind is not None and (result.be(field_kind) | result.be_rank(rank)))
            if kind == "class" and name == "new" and self._makes_by_new(base):
                return unify(result, base)
            if kind == "class" or (base.find().classes and name is not None):
                return self._field(base, name or "", result)
            if kind == "module" and name in self.types.fields_of_modules:
                return unify(result, base.of_field(name))
            if kind == "module" and name in self.types.program_fields:
                base.of_field(name).be_nil()  # of the modules that were not given it
                return unify(result, base.of_field(name))
            if kind in ("module", "criterion"):
                return module_field(name, result, base)
            if name is not None and kind in ("table", "object"):
                news = base.mark("record") if kind == "table" else False
                if kind == "table" and base.key is not None and not base.fields and base.has("dict"):
                    return unify(result, base.of_elements())
                field = base.of_field(name)
                if field.kind is None and base.has("dict") and base.of_elements().kind is not None:
                    unify(field, base.of_elements())  # one of the entries of a dict, by its name
                return news | unify(result, field)
            if kind == "table":
                item = tuples.element_type(base, node.key)
                if item is not None:
                    return unify(result, item)
                if isinstance(node.key, tree.Number):
                    base.mark("sparse" if node.key.value < 1 else "by number")
                elif key.kind == "number":
                    base.mark("by number")
                elif base.has("options") and key.kind == "string":
                    result.be_nil()
                    return sum(result.be_like(option) for option in base.find().fields.values()) > 0
                elif key.kind in ("string", "object", "tensor"):
                    if base.fields_are("optimizer"):
                        return result.be("function") | result.mark("optimizer")
                    base.mark("dict")
                    if not base.has("copied fields"):  # each of its own
                        self._fields_alike(base)
                return unify(base.of_keys(), key) | unify(result, base.of_elements())
            if kind == "graph node":
                if name == "name":
                    result.be_nil()
                    return result.be("string")
                return result.be("module" if name == "module" else "graph node")
            if kind == "pointer":
                return result.be("number")
            if kind == "storage":
                return result.be("number") | result.mark("whole")
            if kind == "stat":
                return result.be("number") | result.mark("whole")
            if kind is None and isinstance(node.key, tree.Table):
                return base.be("tensor")
            if kind is None and key.kind == "number" and base.has("literal"):
                return base.mark("by number")
            return False

        self.inference.rules.append(index)
        if tree_queries.is_last(node):
            self.inference.guesses.append(lambda: _outputs(base))
        self.inference.guesses.append(lambda: of_json(base, result))
        self.inference.guesses.append(
            lambda: key.kind is None and key.has("json") and base.has("has names") and key.be("string")
        )
        if name not in _OF_MODULES:
            self.inference.guesses.append(lambda: self._loaded(base, result))
            self.inference.guesses.append(lambda: _with_names(base))
        if isinstance(node.key, Index):
            root: Expression = node.key
            while isinstance(root, Index):
                root = root.base
            of_tensor = self.types.by_node.get(root)

            def element() -> bool:
                """The element of a tensor that a table is indexed with is a number."""
                if key.kind is None and base.kind == "table" and of_tensor is not None:
                    return of_tensor.kind == "tensor" and key.be("number")
                return False

            self.inference.guesses.append(element)
        return result

    def _fields_alike(self, base: Type) -> None:
        """A table with named entries of one kind, that is also asked by a key: its entries are alike."""
        fields = list(base.find().fields.values())
        kinds = {field.kind for field in fields}
        if len(kinds) == 1 and kinds <= {
            "number",
            "string",
            "boolean",
            "table",
            "object",
            "tensor",
            "function",
        }:
            for field in fields:
                unify(base.of_elements(), field)
        elif kinds == {"class"}:  # each stays one of its own
            for field in fields:
                base.of_elements().be_of(field.find().classes, "class")

    def _field(self, base: Type, name: str, result: Type) -> bool:
        """A field of a class of the program's own, or of one of its objects."""
        methods = self.types.methods_of(base, name)
        if methods:
            news = result.be("function")
            for function in methods:
                news |= result.be_function(function)
            for field in self.types.fields_named(base, name):  # what else it is given; it may be missing
                news |= unify(result, field)
            return news
        news = False
        family = self.types.family(base)
        layers = any(p and not (facts.is_base(p) or facts.is_container(p)) for p in family.parents)
        if (layers and base.kind != "class") or (
            any(map(facts.is_container, family.parents)) and name == "modules"
        ):
            news |= module_field(name, result, base)
        if name == "train" and any(
            parent is not None and parent.startswith("nn.") for parent in family.parents
        ):
            news |= result.be("boolean")  # as nn.Module.training is, also before training() and evaluate()
        for instance in family.instances:
            news |= unify(result, instance.of_field(name))
        return news

    def _makes_by_new(self, named: Type) -> bool:
        """Whether ``C.new(...)`` is ``C(...)``: of every class by torch.class, unless it has a method of that name."""
        by_torch = self.types.classes.values()
        return all(c in by_torch and c.find("new") is None for c in named.find().classes)

    def _loaded(self, base: Type, result: Type) -> bool:
        """What has a name in something that a file gave is in a table."""
        if not base.has("loaded"):
            return False
        return (base.kind is None and base.be("table")) | result.mark("loaded")

    def _key(self, node: Expression) -> Type:
        """The key of an index; ``{{1, 2}, i}`` is no table of one kind of things."""
        if not isinstance(node, tree.Table):
            return self.inference.expression(node)
        for item in node.fields:
            self._key(item.value)
        result = self.types.by_node[node] = Type("table")
        return result


def of_json(table: Type, entry: Type) -> bool:
    """What stands in something read from JSON: texts, numbers, truth values and tables."""
    if not table.has("json"):
        return False
    return (table.kind is None and table.be("table")) | entry.mark("loaded", "json")


def _with_names(type_: Type) -> bool:
    """What has fields, and no methods, is a table, whether it has items too or not."""
    if (
        type_.kind is not None
        or not type_.has("has names")
        or type_.has("has names of others")
        or type_.has("has methods")
    ):
        return False
    return type_.be("table")


def _outputs(type_: Type) -> bool:
    """What a module gave that is asked for its last item is several tensors."""
    if type_.kind is not None or not type_.has("of a module"):
        return False
    return type_.be_list("tensor", "tuple")
