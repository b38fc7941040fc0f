"""Modules as Lua sees them.

A Lua table stands for each module; the module itself is its *peer* in Python. This file knows the protocol of
``TorchObject`` (fields, children, exports) and no layer by name.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch

from torch7py.bridge.calls import LuaCallback, decode, saved_and_read
from torch7py.bridge.dispatch import encode_results, label_fresh
from torch7py.bridge.errors import LuaError, RuntimeClosed
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.nn.base import Module
from torch7py.nn.binding import all_exports, answers_for, classes_below, method_of
from torch7py.nn.borrowed_methods import actual_class, borrowed_fields, borrowing
from torch7py.nn.copying import CustomSerialization, TensorMap, deep_copy, is_clone
from torch7py.nn.error_location import explain
from torch7py.nn.explicit_backward import forward_through
from torch7py.nn.modes import NEEDLESS
from torch7py.nn.object import BESIDE_PASSES, Overrides, TorchObject
from torch7py.nn.quirks import taken
from torch7py.nn.registry import extensions, layers, package_of
from torch7py.nn.saved_form import SavedForm
from torch7py.nn.sequence_methods import STEP_CLONE
from torch7py.nn.shared_models import SharedModels
from torch7py.nn.trace import leaves_of
from torch7py.ops import types
from torch7py.ops.dispatch.kinds import Kind
from torch7py.ops.errors import TorchError

__all__ = ["ModuleProxies"]

_LUA_MEMO = "torch7py lua memo"
_COMPUTING = frozenset({"updateOutput", "updateGradInput", "accGradParameters", "backward", "forward"})


class LuaMethod:
    """A method that a script defined for an object; it replaces the Python method of that name."""

    __slots__ = ("_object", "_runtime", "name")

    def __init__(self, runtime: RuntimeInterface, obj: TorchObject, name: str) -> None:
        self._runtime = runtime
        self._object = weakref.ref(obj)
        self.name = name

    def __call__(self, *arguments: Any) -> Any:
        runtime, obj = self._runtime, self._object()
        if runtime.closed or obj is None:
            raise RuntimeClosed(f"the Lua runtime that defines {self.name} is closed")
        handles = runtime.handles
        handle = handles.give(obj, Kind.MODULE)
        if handles.cuda and is_cuda(obj):
            label_fresh(handles, arguments)
        function, lookup = self._function()
        return runtime.call_lua(function, handle, *lookup, *encode_results(handles, arguments))

    def _function(self) -> tuple[str, tuple[str, ...]]:
        """The bridge's Lua function that calls the method, and its arguments."""
        return "call_method", (self.name,)

    def __deepcopy__(self, memo: Any) -> LuaMethod:
        return self  # until Lua, which copies its part last, marks the copy's methods


class LuaParentMethod(LuaMethod):
    """A method that a script defined in a base class; Python methods that call their parent's method call it."""

    __slots__ = ("key",)

    def __init__(self, runtime: RuntimeInterface, obj: TorchObject, key: str, name: str) -> None:
        super().__init__(runtime, obj, name)
        self.key = key

    def _function(self) -> tuple[str, tuple[str, ...]]:
        return "call_parent_method", (self.key, self.name)


class LuaFields(Overrides):
    """The fields that a script added to the modules of a runtime, which these modules keep alive."""

    def __init__(self, runtime: RuntimeInterface) -> None:
        self._runtime = runtime

    def map_tensors(self, obj: TorchObject, convert: TensorMap) -> None:
        runtime, handle = self._there(obj)
        if runtime is not None and handle is not None:
            with _held(runtime, convert) as function:
                runtime.call_lua("map_tensors", handle, function)

    def copy_to(self, obj: TorchObject, copied: TorchObject, memo: dict[Any, Any]) -> None:
        runtime, handle = self._there(obj)
        if runtime is None:
            return
        copied.__dict__["_overrides"] = self
        runtime.handles.count_parameters(copied)
        if handle is not None:
            lua_memo = memo.get(_LUA_MEMO)
            if lua_memo is None:
                lua_memo = memo[_LUA_MEMO] = LuaCallback(runtime, int(runtime.call_lua("new_memo")))
            target = runtime.handles.asking(runtime.handles.give(copied, Kind.MODULE))
            with _held(runtime, memo) as number:
                done = runtime.call_lua(
                    "copy_fields", handle, target, number, lua_memo.number, STEP_CLONE in memo, is_clone(memo)
                )
            if not done:
                raise CustomSerialization(partial(saved_and_read, runtime, STEP_CLONE in memo))

    def name_parameters(self, obj: TorchObject) -> None:
        runtime, _ = self._there(obj)
        if runtime is None or "torch7_parameters" not in obj.__dict__.get("_marked", ()):
            return
        parameters, gradients = obj.parameter_pairs()
        for number, (tensor, gradient) in enumerate(zip(parameters, gradients, strict=True), 1):
            if isinstance(tensor, torch.nn.Parameter) or not tensor.is_floating_point():
                continue
            name = f"parameter_{number}"
            parameter = torch.nn.Parameter(tensor.data)
            handle = runtime.handles.codes.get(id(tensor))
            if handle is not None:
                runtime.handles.rebind(handle, parameter)
            obj._gradients[name] = gradient
            obj.register_parameter(name, parameter)
            obj._attach(name)

    def pass_on(self, obj: TorchObject, method: str, *arguments: Any) -> None:
        runtime, _ = self._there(obj)
        assert runtime is not None
        handle = runtime.handles.give(obj, Kind.MODULE)
        encoded = encode_results(runtime.handles, arguments)
        runtime.call_lua("call_with_each", handle, "applyToModules", method, *encoded)

    def check_pickle(self, obj: TorchObject) -> None:
        if obj.class_name == obj.torch7_name and "_marked" not in obj.__dict__:
            return
        runtime, handle = self._there(obj)
        source_line = "" if runtime is None or handle is None else runtime.call_lua("defined_at", handle)
        source_line = f" ({source_line})" if source_line else ""
        raise TypeError(
            f"{obj.class_name} cannot be pickled: its methods are written in Lua{source_line}. Save its state_dict, "
            "or the model by torch.save in Lua, for a runtime that has run the same program"
        )

    def show_children(self, obj: TorchObject) -> None:
        runtime, handle = self._there(obj)
        if runtime is not None and handle is not None:
            runtime.call_lua("show_children", handle)

    def foreign_modules(self, obj: TorchObject) -> list[Any]:
        runtime, handle = self._there(obj)
        return [] if runtime is None or handle is None else runtime.call_lua("own_modules", handle)

    def foreign_fields(self, obj: TorchObject) -> dict[str, Any]:
        runtime, handle = self._there(obj)
        fields = {} if runtime is None or handle is None else runtime.call_lua("own_fields", handle)
        return dict(enumerate(fields, 1)) if isinstance(fields, list) else fields  # type: ignore[arg-type]

    def _there(self, obj: TorchObject) -> tuple[RuntimeInterface | None, int | None]:
        """The runtime unless it is closed, and the object's handle if Lua holds it."""
        runtime = self._runtime
        if runtime.closed:
            return None, None
        return runtime, runtime.handles.codes.get(id(obj))


@contextlib.contextmanager
def _held(runtime: RuntimeInterface, obj: Any) -> Iterator[int]:
    """A handle that is valid inside the ``with`` block."""
    handle = runtime.handles.give(obj, Kind.OBJECT)
    try:
        yield handle
    finally:
        runtime.handles.release(handle)


_TAKES_INPUT = frozenset(
    "forward updateOutput backward updateGradInput accGradParameters accUpdateGradParameters __call__".split()
)


def is_cuda(obj: TorchObject) -> bool:
    """Whether an object is of a CUDA type; one whose constructor has not come so far has no type yet."""
    return str(obj.__dict__.get("_type", "")).startswith("torch.Cuda")


def check_placement(obj: TorchObject, input: Any) -> None:
    """Refuse an input of a CUDA type for layers that are not, and the other way round.

    The numbers would be the same, but Torch7 raised an error. A model that has layers of both kinds also has a layer
    that copies between them. A class written in Lua may do with its input what it likes.
    """
    tensor = next((leaf for leaf in leaves_of(input) if leaf.is_floating_point()), None)
    if tensor is None or not tensor.numel():
        return
    inner = [part for part in obj.modules() if isinstance(part, TorchObject)]
    leaves = [
        part
        for part in inner
        if not any(part.children()) and "updateOutput" not in part.__dict__.get("_marked", ())
    ]
    cuda = types.of(tensor).is_cuda
    if (
        leaves
        and all(is_cuda(leaf) != cuda for leaf in leaves)
        and not any(part.copies_input for part in inner)
    ):
        kind = types.of(tensor).tensor
        raise TorchError(f"{obj.class_name}: the input is a {kind}, the layers are of type {leaves[0]._type}")


def _plainly(name: str, call: Callable[[list[Any]], Any], obj: TorchObject, values: list[Any]) -> Any:
    """Call a method within a call that has seen to the types."""
    return call([obj, *values])


class _CalledDirectly:
    """While a script calls this method of this class by name (see ``nn.object.as_parents``)."""

    __slots__ = ("attributes", "before", "method")

    def __init__(self, obj: TorchObject, method: tuple[str, str]) -> None:
        self.attributes = obj.__dict__
        self.method = method

    def __enter__(self) -> None:
        self.before = self.attributes.get("_direct")
        self.attributes["_direct"] = self.method

    def __exit__(self, *_: object) -> None:
        self.attributes.pop("_direct", None)
        if self.before is not None:
            self.attributes["_direct"] = self.before


@dataclass(frozen=True)
class _Marks:
    """What is put into an object of which Lua has methods."""

    methods: list[tuple[str, str]]  # attribute and Lua name
    above: dict[Any, tuple[str, str, frozenset[str]]]  # function -> class, Lua name, the classes below
    names: tuple[str, ...]  # of all attributes

    @property
    def computes(self) -> bool:
        return "_elsewhere" in self.names

    @property
    def in_passes(self) -> bool:
        """Whether passes of built-in classes may call one of them."""
        return "_passes_marked" in self.names


@cache
def _marks_of(cls: type[TorchObject], text: str, added: int) -> _Marks:
    """What ``mark`` puts into objects of a class; ``added``: how many methods packages have added to classes."""
    exports = all_exports(cls)
    methods: list[tuple[str, str]] = []
    above: dict[Any, tuple[str, str, frozenset[str]]] = {}
    for word in text.split():
        key, _, name = word.rpartition(">")
        if name not in exports:
            continue
        if not key:
            if name != "__init":  # Lua calls it, and Python's constructors their parent's
                methods.append((exports[name], name))
        elif (attribute := all_exports(layers[key]).get(name)) is not None:
            above.setdefault(getattr(layers[key], attribute), (key, name, classes_below(cls, key)))
    names = [attribute for attribute, _ in methods]
    called = {name for _, name in methods}
    if not _COMPUTING.isdisjoint(called):
        names.append("_elsewhere")
    if above:
        names.append("_above")
    if not BESIDE_PASSES.issuperset(called | {name for _, name, _ in above.values()}):
        names.append("_passes_marked")
    return _Marks(methods, above, tuple(names))


class ModuleProxies:
    """The modules of one runtime."""

    def __init__(self, runtime: RuntimeInterface) -> None:
        self._runtime = weakref.ref(runtime)
        self.handles = runtime.handles
        self._fields: weakref.ref[LuaFields] | None = None
        self._borrowings: list[contextlib.ExitStack] = []

    def runtime(self) -> RuntimeInterface:
        runtime = self._runtime()
        assert runtime is not None
        return runtime

    def fields(self) -> LuaFields:
        """The same for all modules of the runtime, as long as one has it: who holds this object holds no runtime."""
        fields = None if self._fields is None else self._fields()
        if fields is None:
            fields = LuaFields(self.runtime())
            self._fields = weakref.ref(fields)
        return fields

    def new_peer(self, name: str, class_name: str) -> int:
        """Create the peer of an object of the Lua class ``class_name``, without running a constructor."""
        handle = self.new_unfinished_peer(name, class_name)
        TorchObject.__init__(self.handles.objects[abs(handle)])
        return handle

    def new_unfinished_peer(self, name: str, class_name: str) -> int:
        """The same for an object whose constructor ``initialize`` runs next: it has no fields before."""
        cls = layers[name]
        obj = cls.__new__(cls)
        if class_name != cls.torch7_name:
            obj.__dict__["_class_name"] = class_name
        obj.__dict__["_overrides"] = self.fields()
        return self.handles.asking(self.handles.give(obj, Kind.MODULE))

    def without_constructor(self, handle: int) -> None:
        self.handles.objects[handle].without_constructor()

    def fill_absent(self, handle: int) -> None:
        """Set the remaining fields to nil: no constructor will set them."""
        self.handles.objects[handle].fill_absent()

    def new_blank(self, name: str, class_name: str) -> int:
        """Create the peer of a saved object, whose fields follow."""
        cls = layers[name]
        obj = cls.blank()
        if class_name != cls.torch7_name:
            obj.__dict__["_class_name"] = class_name
        obj.__dict__["_overrides"] = self.fields()
        return self.handles.asking(self.handles.give(obj, Kind.MODULE))

    def begin_restore(self, handle: int, version: int, names: int) -> None:
        """Announce the names of the fields that follow one by one."""
        obj = self.handles.objects[handle]
        obj.__dict__["_saved_form"] = SavedForm(list(self.handles.objects[names]), int(version))

    def end_restore(self, handle: int) -> None:
        obj = self.handles.objects[handle]
        obj.end_restore()
        self.handles.count_parameters(obj)

    def saved_names(self, handle: int) -> tuple[str, ...]:
        """The names of the engine's fields to save, in order."""
        return tuple(self.handles.objects[handle].engine_fields_to_save())

    def field_to_save(self, handle: int, name: str) -> Any:
        """The value of a field as a file has it."""
        obj = self.handles.objects[handle]
        return self._field(obj, obj.field_to_save(name))

    def saved_value(self, handle: int, name: str) -> Any:
        """A field that only files have: Torch7's objects had it, and nothing here uses it."""
        return encode_results(self.handles, self.handles.objects[handle].engine_fields_to_save().get(name))

    def extras(self, handle: int) -> tuple[str, ...]:
        """The fields of a saved object that its class does not know. From now on they are Lua's."""
        form: SavedForm | None = self.handles.objects[handle].__dict__.get("_saved_form")
        return () if form is None else tuple(n for n in form.extras if isinstance(n, str))

    def initializer(self) -> Callable[..., int]:
        """``initialize(class, handle, mask, ...)``: run a class's constructor on a peer.

        Returns how many children the peer has then, -1 if it has no list of them.
        """
        constructors: dict[tuple[str, type[TorchObject]], Callable[[list[Any]], Any]] = {}
        fields = self.fields

        def initialize(name: str, handle: int, mask: int, *arguments: Any) -> int:
            obj = self.handles.objects[handle]
            cls = type(obj)
            call = constructors.get((name, cls))
            if call is None:
                call = constructors[name, cls] = method_of(cls, name, "__init", name)
            class_name = obj.__dict__.get("_class_name")
            values = [obj, *taken(name, decode(self.handles, mask, arguments))]
            try:
                if "_above" in obj.__dict__:
                    with _CalledDirectly(obj, (name, "__init")):
                        call(values)
                else:
                    call(values)
            finally:
                if (
                    "_parameters" not in obj.__dict__
                ):  # the arguments were refused, and a script still has the object
                    TorchObject.__init__(obj)
            if class_name is not None:
                obj.__dict__["_class_name"] = class_name
            obj.__dict__["_overrides"] = fields()
            self.handles.count_parameters(obj)
            children = obj.child_list()
            return -1 if children is None else len(children)

        return initialize

    def class_of(self, handle: int) -> tuple[str, str]:
        obj = self.handles.objects[handle]
        return obj.class_name, obj.torch7_name

    def package_of(self, handle: int) -> str:
        """The package that registers an object's class."""
        return package_of[self.handles.objects[handle].registered_as]

    def method(self, class_name: str, name: str) -> Callable[..., Any]:
        """The function ``(handle, mask, ...)`` behind one exported method of one class."""
        handles = self.handles
        objects = handles.objects
        lender = layers[class_name]
        label = f"{class_name}:{name}"
        answers_nil = name in lender.answering
        calls: dict[type[TorchObject], Callable[[list[Any]], Any]] = {}
        borrowed_calls: dict[type[TorchObject], Callable[[list[Any]], Any]] = {}

        def call_otherwise(
            obj: TorchObject, values: list[Any], finish: Callable[..., Any] = self._call_with_types
        ) -> Any:
            """The first call for objects of a class, and calls that need more than the common case."""
            cls = type(obj)
            if cls not in calls and cls not in borrowed_calls:
                answers = answers_for(cls, class_name, name)
                (calls if answers else borrowed_calls)[cls] = method_of(cls, class_name, name, label)
            if cls in borrowed_calls:
                with borrowing(obj, lender):
                    return finish(name, borrowed_calls[cls], obj, values)
            with _CalledDirectly(obj, (class_name, name)):
                return finish(name, calls[cls], obj, values)

        shared = self.runtime().shared_models
        if shared is not None and shared.takes(name):
            return self._shared_method(shared, name, partial(call_otherwise, finish=_plainly))

        def method(handle: int, mask: int, *arguments: Any) -> Any:
            values = decode(handles, mask, arguments)
            obj = objects[handle]
            try:
                call = calls.get(obj.__class__)
                if call is None or "_above" in obj.__dict__:
                    return call_otherwise(obj, values)
                if handles.cuda:
                    return self._call_with_types(name, call, obj, values)
                result = call([obj, *values])
                return encode_results(handles, result if result is not None or answers_nil else ())
            except LuaError:
                raise
            except Exception as error:
                raise explain(error, obj) from error

        return method

    def _shared_method(
        self, shared: SharedModels, name: str, compute: Callable[[TorchObject, list[Any]], Any]
    ) -> Callable[..., Any]:
        """A method of models whose batches several processes share. ``compute`` calls it in this process."""
        handles = self.handles

        def method(handle: int, mask: int, *arguments: Any) -> Any:
            values = decode(handles, mask, arguments)
            obj = handles.objects[handle]
            try:
                return self._call_with_types(
                    name, lambda call: shared.call(name, obj, call[1:], partial(compute, obj)), obj, values
                )
            except LuaError:
                raise
            except Exception as error:
                raise explain(error, obj) from error

        return method

    def _call_with_types(
        self, name: str, call: Callable[[list[Any]], Any], obj: TorchObject, values: list[Any]
    ) -> Any:
        """Call a method in a program with CUDA types: check the input, and give the results the type of the layer."""
        if name in _TAKES_INPUT and values:
            check_placement(obj, values[0])
        with self.runtime().cuda_scope(is_cuda(obj)):
            result = call([obj, *values])
            return encode_results(self.handles, result if result is not None or name in obj.answering else ())

    def is_kin(self, handle: int, lender: str, name: str) -> bool:
        """Whether a method of a class is the object's own, by Python's inheritance or by Lua's lookup."""
        return answers_for(actual_class(self.handles.objects[handle]), lender, name)

    def is_needless(self, handle: int, name: str) -> bool:
        """Whether a method of nn/modes.py would change nothing."""
        return NEEDLESS[name](self.handles.objects[handle])

    def lend(self, handle: int, lender: str) -> tuple[str, ...]:
        """Let an object borrow methods of another class until ``take_back`` (nn/borrowed_methods.py).

        Returns the names of the fields that belong to that class alone.
        """
        obj, cls = self.handles.objects[handle], layers[lender]
        names = borrowed_fields(type(obj), cls)
        self._borrowings.append(contextlib.ExitStack())
        self._borrowings[-1].enter_context(borrowing(obj, cls))
        return tuple(names)

    def take_back(self) -> None:
        """End the last ``lend``."""
        self._borrowings.pop().close()

    def abandon(self) -> None:
        """Undo what an interrupt left half done."""
        while self._borrowings:
            self.take_back()

    # -- fields -------------------------------------------------------------------------------------------

    def get_field(self, handle: int, name: str) -> Any:
        obj = self.handles.objects[handle]
        return self._field(obj, obj.get_field(name))

    def read_field(self, handle: int, name: str) -> Any:
        """The same for a script that reads it."""
        obj = self.handles.objects[handle]
        return self._field(obj, obj.read_field(name))

    def _field(self, obj: Any, value: Any) -> Any:
        if self.handles.cuda and is_cuda(obj):
            label_fresh(self.handles, value)
        return encode_results(self.handles, value if not isinstance(value, tuple) else list(value))

    def set_field(self, handle: int, name: str, mask: int, value: Any) -> None:
        obj = self.handles.objects[handle]
        new = self.handles.objects[value] if mask else value
        kept = obj.set_field(name, new)
        if kept is not new and isinstance(new, torch.Tensor) and isinstance(kept, torch.Tensor):
            self.handles.rebind(value, kept)

    def changed_fields(self, *fields: Any) -> tuple[int, ...]:
        """Which table-valued fields differ from Lua's copy, by position from 1.

        ``fields`` has module, name and table of each.
        """
        objects, codes, matches_lua = self.handles.objects, self.handles.codes, self.handles.matches_lua
        changed = []
        for number in range(0, len(fields), 3):
            obj, name, table = objects[fields[number]], fields[number + 1], fields[number + 2]
            value = obj.__dict__.get(name) if type(obj).get_field is Module.get_field else None
            if value is None:
                value = obj.get_field(name)
            if not (
                isinstance(value, (list, dict))
                and codes.get(id(value)) == table
                and matches_lua(value, table)
            ):
                changed.append(number // 3 + 1)
        return tuple(changed)

    def field_names(self, handle: int) -> tuple[str, ...]:
        return tuple(n for n in self.handles.objects[handle].field_names() if n != "modules")

    def children(self, handle: int) -> Any:
        """The children of a module, of which Lua has a list from now on: it is shown when there are others."""
        obj = self.handles.objects[handle]
        obj.__dict__.setdefault("_overrides", self.fields())
        return encode_results(self.handles, obj.child_list())

    def set_children(self, handle: int, children: int) -> None:
        obj = self.handles.objects[handle]
        wanted = list(self.handles.objects[children])
        for child in wanted:
            if not isinstance(child, torch.nn.Module):
                raise TorchError(f"modules of {obj.class_name} holds something that is not a module")
        if (
            obj.child_list() is None
            or any(a is not b for a, b in zip(obj.child_list(), wanted, strict=False))
            or len(obj.child_list()) != len(wanted)
        ):
            obj.set_child_list(wanted)

    # -- methods defined in Lua ---------------------------------------------------------------------------

    def mark(self, handle: int, text: str) -> None:
        """Let exactly these methods of Lua's replace Python's.

        ``class>method`` is a method of a base class, which methods of the object call as their parent's.
        """
        obj = self.handles.objects[handle]
        attributes = obj.__dict__
        if text and "_parameters" not in attributes:  # a constructor of a script's finds the fields there
            TorchObject.__init__(obj)
        for attribute in attributes.pop("_marked", ()):
            attributes.pop(attribute, None)
        if not text:
            return
        added = sum(len(methods) for classes in extensions.values() for methods in classes.values())
        marks = _marks_of(type(obj), text, added)  # type: ignore[arg-type]  # a class is hashable
        if not marks.names:
            return
        runtime = self.runtime()
        attributes.setdefault("_overrides", self.fields())
        for attribute, name in marks.methods:
            attributes[attribute] = LuaMethod(runtime, obj, name)
        if marks.computes:
            attributes["_elsewhere"] = forward_through(obj)
        if marks.above:
            attributes["_above"] = {
                function: (name, below, LuaParentMethod(runtime, obj, key, name))
                for function, (key, name, below) in marks.above.items()
            }
        if marks.in_passes:
            attributes["_passes_marked"] = True
        attributes["_marked"] = marks.names

    def copied(self, memo: int, handle: int) -> Any:
        objects = self.handles.objects
        return encode_results(self.handles, deep_copy(objects[handle], objects[memo]))

    def copied_table(self, memo: int, handle: int) -> Any:
        """The copy of a table that a layer holds in Python; None for a table that only Lua has."""
        objects = self.handles.objects
        return encode_results(self.handles, objects[memo].get(id(objects[handle])))

    def apply_map(self, convert: int, tensor: int) -> Any:
        objects = self.handles.objects
        return encode_results(self.handles, objects[convert](objects[tensor]))
