"""Modules as Lua sees them: peers are made, read, written, called and marked here.

This knows the protocol of ``TorchObject`` (fields, children, exports) and no layer by name.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from torch7py.bridge.calls import adapt, decode
from torch7py.bridge.dispatch import encode_results, kind_of
from torch7py.bridge.handles import Kind
from torch7py.bridge.lua_layer import forward_through_lua
from torch7py.nn.copying import TensorMap
from torch7py.nn.object import Overrides, TorchObject
from torch7py.nn.registry import extensions, layers
from torch7py.ops.errors import TorchError

if TYPE_CHECKING:
    from torch7py.bridge.runtime import Runtime

__all__ = ["Peers"]

# The methods that Python calls on a module it holds, so that a Lua definition must be seen there.
VIRTUAL = (
    "updateOutput updateGradInput accGradParameters backward forward zeroGradParameters updateParameters "
    "accUpdateGradParameters parameters training evaluate reset clearState share type apply findModules "
    "listModules replace clone __tostring__ forget remember stepClone sharedClone maxBPTTstep setOutputStep "
    "getHiddenState setHiddenState"
).split()


def all_exports(cls: type[TorchObject]) -> dict[str, str]:
    """The methods of a class that scripts may call, those that other packages add included."""
    found = cls.exports()
    for classes in extensions.values():
        for name, methods in classes.items():
            if issubclass(cls, layers[name]):
                found = methods | found
    return found


class LuaMethod:
    """A method that Lua defines for one object, in the place of Python's."""

    __slots__ = ("_object", "_runtime", "name")

    def __init__(self, runtime: Runtime, obj: TorchObject, name: str) -> None:
        self._runtime = weakref.ref(runtime)
        self._object = weakref.ref(obj)
        self.name = name

    def __call__(self, *arguments: Any) -> Any:
        runtime, obj = self._runtime(), self._object()
        if runtime is None or runtime.closed or obj is None:
            raise RuntimeError(f"the Lua runtime that defines {self.name} is closed")
        handle = runtime.handles.give(obj, Kind.MODULE)
        encoded = encode_results(runtime.handles, arguments)
        return runtime.call_lua("call_method", handle, self.name, *encoded)


class LuaFields(Overrides):
    """The fields that a script added to a module."""

    def __init__(self, runtime: Runtime, obj: TorchObject) -> None:
        self._runtime = weakref.ref(runtime)
        self._object = weakref.ref(obj)

    def map_tensors(self, convert: TensorMap) -> None:
        runtime, obj = self._runtime(), self._object()
        if runtime is None or runtime.closed or obj is None:
            return
        handle = runtime.handles.codes.get(id(obj))
        if handle is not None:
            runtime.call_lua("map_tensors", handle, 2, *encode_results(runtime.handles, convert)[1:])


class Peers:
    """The modules of one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = weakref.ref(runtime)
        self.handles = runtime.handles

    def runtime(self) -> Runtime:
        found = self._runtime()
        assert found is not None
        return found

    def new_peer(self, name: str, class_name: str) -> int:
        """A peer of a built-in class, not yet initialized, for an object of the (Lua) class ``class_name``."""
        cls = layers[name]
        obj = cls.__new__(cls)
        TorchObject.__init__(obj)
        if class_name != name:
            obj.__dict__["_class_name"] = class_name
        obj.__dict__["_overrides"] = LuaFields(self.runtime(), obj)
        return self.handles.give(obj, Kind.MODULE)

    def initializer(self) -> Callable[..., None]:
        """``initialize(class, handle, mask, ...)``: run a class's constructor on a peer."""
        constructors: dict[str, Callable[[list[Any]], Any]] = {}

        def initialize(name: str, handle: int, mask: int, *arguments: Any) -> None:
            call = constructors.get(name)
            if call is None:
                call = constructors[name] = adapt(layers[name].__init__, name, bound=1)
            obj = self.handles.objects[handle]
            class_name = obj.__dict__.get("_class_name")
            call([obj, *decode(self.handles, mask, arguments)])
            if class_name is not None:
                obj.__dict__["_class_name"] = class_name
            obj.__dict__["_overrides"] = LuaFields(self.runtime(), obj)

        return initialize

    def class_of(self, handle: int) -> tuple[str, str]:
        obj = self.handles.objects[handle]
        return obj.class_name, obj.torch7_name

    def method(self, class_name: str, name: str) -> Callable[..., Any]:
        """The function ``(handle, mask, ...)`` behind one exported method of one class."""
        cls = layers[class_name]
        attribute = all_exports(cls)[name]
        call = adapt(getattr(cls, attribute), f"{class_name}:{name}", bound=1)
        handles = self.handles
        objects = handles.objects

        def method(handle: int, mask: int, *arguments: Any) -> Any:
            return encode_results(handles, call([objects[handle], *decode(handles, mask, arguments)]))

        return method

    # -- fields -------------------------------------------------------------------------------------------

    def get_field(self, handle: int, name: str) -> Any:
        value = self.handles.objects[handle].get_field(name)
        return encode_results(self.handles, value if not isinstance(value, tuple) else list(value))

    def set_field(self, handle: int, name: str, mask: int, value: Any) -> None:
        obj = self.handles.objects[handle]
        given = self.handles.objects[value] if mask else value
        kept = obj.set_field(name, given)
        if kept is not given and isinstance(given, torch.Tensor) and isinstance(kept, torch.Tensor):
            self.handles.rebind(value, kept)

    def field_names(self, handle: int) -> tuple[str, ...]:
        return tuple(n for n in self.handles.objects[handle].field_names() if n != "modules")

    def children(self, handle: int) -> Any:
        return encode_results(self.handles, self.handles.objects[handle].child_list())

    def set_children(self, handle: int, children: int) -> None:
        obj = self.handles.objects[handle]
        wanted = list(self.handles.objects[children])
        for child in wanted:
            if not isinstance(child, torch.nn.Module):
                raise TorchError(f"modules of {obj.class_name} holds something that is not a module")
        if obj.child_list() is None or any(a is not b for a, b in zip(obj.child_list(), wanted, strict=False)) or len(
            obj.child_list()
        ) != len(wanted):
            obj.set_child_list(wanted)

    # -- methods defined in Lua ---------------------------------------------------------------------------

    def mark(self, handle: int, text: str) -> None:
        """Let Lua's definitions of these methods, and of no others, stand in the place of Python's."""
        obj = self.handles.objects[handle]
        attributes = obj.__dict__
        exports = all_exports(type(obj))
        for attribute in attributes.pop("_marked", ()):
            attributes.pop(attribute, None)
        methods = [name for name in text.split() if name in exports]
        if not methods:
            return
        marked = []
        for name in methods:
            attributes[exports[name]] = LuaMethod(self.runtime(), obj, name)
            marked.append(exports[name])
        if not {"updateOutput", "updateGradInput", "accGradParameters", "backward", "forward"}.isdisjoint(methods):
            attributes["forward"] = forward_through_lua(obj)
            marked.append("forward")
        attributes["_marked"] = tuple(marked)

    def apply_map(self, convert: int, tensor: int) -> Any:
        objects = self.handles.objects
        return encode_results(self.handles, objects[convert](objects[tensor]))

    def describe(self) -> list[dict[str, Any]]:
        """What Lua needs to define each class: see ``module.define`` in module.lua."""
        descriptions = []
        for name, cls in layers.items():
            base = next(
                (b for b in cls.__mro__[1:] if b.__dict__.get("torch7_name") in layers and b is not cls), None
            )
            own: dict[str, None] = {}
            exports = cls.exports()
            for ancestor in cls.__mro__:
                if ancestor is base:
                    break
                for lua_name, attribute in exports.items():
                    if attribute in ancestor.__dict__:
                        own[lua_name] = None
                if ancestor is torch.nn.Module:
                    break
            descriptions.append(
                {
                    "name": name,
                    "parent": base.__dict__["torch7_name"] if base is not None else None,
                    "fields": cls.all_fields(),
                    "links": list(cls.links),
                    "methods": list(own),
                    "structural": {n: True for n in cls.structural},
                }
            )
        return descriptions


assert kind_of(None) is None
