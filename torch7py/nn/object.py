"""What a module and a criterion have in common: types, saving, copies.

A ``TorchObject`` is a ``torch.nn.Module``. Its *fields* are what a Torch7 script reads and writes under the
layer's own names (``weight``, ``gradWeight``, ``output``, ``train``): see ``nn/fields.py``. Here are types, saved
objects, structure and copies.
"""

from __future__ import annotations

import copy
import functools
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

import torch

from torch7py.nn import touched_rows
from torch7py.nn.copying import (
    TensorMap,
    TypeMap,
    cache_of,
    deep_copy,
    map_tensors,
    memo_of,
    with_what_follows,
)
from torch7py.nn.facts import PLAIN
from torch7py.nn.fields import FieldHolder
from torch7py.nn.saved_form import SavedForm, fields_to_save
from torch7py.ops import types
from torch7py.ops.convert import type_named
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.registry import Fields

__all__ = ["BESIDE_PASSES", "Overrides", "TorchObject", "as_parents", "names"]

S = TypeVar("S", bound="TorchObject")
F = TypeVar("F", bound=Callable[..., Any])


# Lua methods that passes of classes with instructions (step_lines.py) never call on what is inside them, nor
# zeroGradParameters and updateParameters: a script's own change nothing of what these do.
BESIDE_PASSES = frozenset(
    """forward training evaluate reset clearState share type float double apply findModules listModules replace
    reinforce accUpdateGradParameters defaultAccUpdateGradParameters sharedAccUpdateGradParameters maxParamNorm
    gradParamClip weightDecay updateGradParameters momentumGradParameters __tostring__ __init""".split()
)


def names(same: str = "", **renamed: str) -> dict[str, str]:
    """An export list: methods by their Lua name. ``renamed`` gives the Python name if it differs."""
    return {name: name for name in same.split()} | renamed


def as_parents(method: F) -> F:
    """Decorates a method that methods of derived classes call as their parent's, in the original too.

    If a script overrode it in a base class (``_above``), the override is called for the classes ``below``.
    ``_direct`` names the class of which a script calls this very method.
    """

    @functools.wraps(method)
    def call(self: TorchObject, *arguments: Any, **named: Any) -> Any:
        above = self.__dict__.get("_above")
        if above is not None and call in above:
            name, below, replacement = above[call]
            key, called = self.__dict__.get("_direct", (None, None))
            if called == name:
                del self.__dict__["_direct"]
            if called != name or key in below:
                return replacement(*arguments, **named)
        return method(self, *arguments, **named)

    return cast(F, call)


class Overrides:
    """Fields that another language adds to an object, which each method takes. The base class has none."""

    def map_tensors(self, obj: TorchObject, convert: TensorMap) -> None:
        """Convert every tensor among these fields."""

    def copy_to(self, obj: TorchObject, copied: TorchObject, memo: dict[Any, Any]) -> None:
        """Copy these fields to a copy of the object; CustomSerialization if it must be cloned through a file."""

    def name_parameters(self, obj: TorchObject) -> None:
        """Register tensors as parameters that only the other language knows as such."""

    def pass_on(self, obj: TorchObject, method: str, *arguments: Any) -> None:
        """Call a method of each child; the other language defines which objects those are."""

    def show_children(self, obj: TorchObject) -> None:
        """Have the other language see the children that the object has now."""

    def foreign_modules(self, obj: TorchObject) -> list[Any]:
        """The modules among those fields, in tables within them too."""
        return []

    def foreign_fields(self, obj: TorchObject) -> dict[str, Any]:
        """Those fields by name."""
        return {}

    def check_pickle(self, obj: TorchObject) -> None:
        """Raise TypeError if a pickle would lose what the other language adds."""


class TorchObject(FieldHolder):
    """The base of ``Module`` and ``Criterion``.

    Class attributes that a layer may add to, besides those for its fields:

    - ``lists``: those fields that hold a list of modules;
    - ``emptied_by_type``: fields that ``type`` makes empty tables;
    - ``tells_type``: whether ``type`` without a name gives the type's;
    - ``lua_methods``: Lua method name -> Python attribute;
    - ``structural``: the Lua methods after which the module may have other children;
    - ``appending``: those that append the one module that they are given to the children, and beyond that change
      nothing but the object's own fields (said by the class that has the method);
    - ``calls_in_passes``: those of ``BESIDE_PASSES`` that its passes call on what is inside it after all;
    - ``virtual``: the Lua methods that Python calls on such an object, so that a script's own definition of one
      must be found;
    - ``copies_input``: whether it takes inputs of other tensor types than its own;
    - ``answering``: the Lua methods whose result is a value even where it is None: nil. Where another method's is,
      Lua gets no value, and of a method that returns nothing in the original none in any case (own_methods.txt);
    - ``gives``: Lua methods of this very class that return a field of the object, by the field's name, or the object
      itself (an empty name), where Python's return something else;
    - ``class_fields``: values that a script may set on the class itself, for the objects made afterwards;
    - ``version``: that of the class, which is saved with its objects; ``unsaved``: fields that are not;
    - ``nil_as``: fields that a new object of the original does not have, with the value that stands for that here
      (``()``: an empty tensor); ``spare``: fields that it has and that nothing here needs, with what it puts there: the
      sizes of a tensor (``()``: an empty one), a list, a number, a function of the object;
    - ``skips_unwritable``: whether it is saved without those of its fields that cannot be, and a warning says so;
    - ``essential``: fields without which a saved object of this name is one of another class.
    """

    torch7_name: ClassVar[str] = ""
    registered_as: ClassVar[str] = ""
    stated_facts: ClassVar[dict[str, Any]] = PLAIN
    lists: ClassVar[tuple[str, ...]] = ()
    emptied_by_type: ClassVar[tuple[str, ...]] = ()
    tells_type: ClassVar[bool] = True
    copies_input: ClassVar[bool] = False
    skips_unwritable: ClassVar[bool] = False
    structural: ClassVar[frozenset[str]] = frozenset({"__init"})
    appending: ClassVar[tuple[str, ...]] = ()
    calls_in_passes: ClassVar[tuple[str, ...]] = ()
    virtual: ClassVar[tuple[str, ...]] = tuple(
        """updateOutput updateGradInput accGradParameters backward forward zeroGradParameters updateParameters
        accUpdateGradParameters parameters training evaluate reset clearState share type apply findModules
        listModules replace clone __tostring__ forget remember stepClone sharedClone maxBPTTstep setOutputStep
        getHiddenState setHiddenState getGradHiddenState setGradHiddenState reinforce sparseParameters maxParamNorm
        gradParamClip weightDecay updateGradParameters defaultAccUpdateGradParameters
        sharedAccUpdateGradParameters momentumGradParameters rethrowErrors applyToModules __init""".split()
    )
    answering: ClassVar[frozenset[str]] = frozenset(
        "updateOutput updateGradInput forward backward backwardUpdate get getStepModule".split()
    )
    gives: ClassVar[dict[str, str]] = {}
    class_fields: ClassVar[tuple[str, ...]] = ()
    version: ClassVar[int] = 1
    unsaved: ClassVar[tuple[str, ...]] = ()
    essential: ClassVar[tuple[str, ...]] = ()
    nil_as: ClassVar[dict[str, Any]] = {}
    spare: ClassVar[dict[str, Any]] = {}
    lua_methods: ClassVar[dict[str, str]] = names(
        "__init",
        __init="__init__",
        type="torch7_type",
        float="torch7_float",
        double="torch7_double",
        half="torch7_half",
        cuda="torch7_cuda",
        __tostring__="describe",
    )

    # Attributes that belong to a moment or to a runtime and are not copied, pickled or saved.
    transient: ClassVar[tuple[str, ...]] = (
        "_trace",
        "_apart",
        "_result_mark",
        "_overrides",
        "_marked",
        "_passes_marked",
        "_above",
        "_direct",
        "_elsewhere",
        "_lent",
        "_catch_up",
        "_inside",
        "noting",
    )

    @as_parents
    def __init__(self) -> None:
        super().__init__()

    # -- types --------------------------------------------------------------------------------------------

    @as_parents
    def torch7_type(self, name: str | None = None, cache: Fields | None = None) -> Any:
        """``m:type([name, cache])``: the type's name, or convert everything inside and return the object.

        Tensors that share a storage share the converted one. ``cache`` extends that over several calls.
        """
        if name is None and not self.tells_type:
            raise ArgumentError(f"{self.class_name}: argument #1 ('type') of type is missing")
        if name is None:
            return self._type
        number_type = type_named(name)
        memo = memo_of(cache)
        with torch.no_grad():
            self.convert(TypeMap(number_type, memo), name)
        return self

    def torch7_float(self, *cache: Fields) -> Any:
        return self.torch7_type("torch.FloatTensor", *cache[:1])

    def torch7_double(self, *cache: Fields) -> Any:
        return self.torch7_type("torch.DoubleTensor", *cache[:1])

    def torch7_half(self, *cache: Fields) -> Any:
        return self.torch7_type("torch.HalfTensor", *cache[:1])

    def torch7_cuda(self, *cache: Fields) -> Any:
        return self.torch7_type("torch.CudaTensor", *cache[:1])

    def torch7_cuda_double(self) -> Any:
        return self.torch7_type("torch.CudaDoubleTensor")

    def torch7_cuda_half(self) -> Any:
        return self.torch7_type("torch.CudaHalfTensor")

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        """Convert the tensors of this object and of its children in place, each object once."""
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        self.__dict__.pop("_trace", None)
        if type_name is not None:
            self.__dict__.update((name, []) for name in self.emptied_by_type)
        self._convert_tensors(convert)
        if type_name is not None:
            self.__dict__["_type"] = type_name
        overrides = self.__dict__.get("_overrides")
        if overrides is not None:
            overrides.map_tensors(self, convert)
            for child in overrides.foreign_modules(self):
                child.convert_as_child(convert, type_name, seen)
        for child in self.inner():
            child.convert_as_child(convert, type_name, seen)

    def converts_by_type(self) -> bool:
        """Whether a script overrides how it is converted as a child, in the class or in one above."""
        return not self.__dict__.keys().isdisjoint(("torch7_type", "_above"))

    def convert_as_child(self, convert: TensorMap, type_name: str | None, seen: set[int]) -> None:
        """``convert``, or a script's override of it in the class or in one above."""
        if type_name is None or not self.converts_by_type():
            self.convert(convert, type_name, seen)
        elif id(self) not in seen:
            seen.add(id(self))
            self.torch7_type(type_name, cache_of(convert))

    def _convert_tensors(self, convert: TensorMap) -> None:
        gradients = {name: self.own_gradient(name) for name in self._gradients}
        for name, parameter in self._parameters.items():
            if parameter is not None:
                self._parameters[name] = convert(parameter)  # type: ignore[assignment]
        for name in [n for n, p in self._parameters.items() if p is not None and not p.is_floating_point()]:
            self._buffers[name] = self._parameters.pop(name)
        for name in [n for n, b in self._buffers.items() if b is not None]:
            self._set_or_keep(name, convert(self._buffers[name]))  # type: ignore[arg-type]
        for name, buffer in gradients.items():
            self._gradients[name] = None if buffer is None else touched_rows.converted(buffer, convert)
            self._attach(name)
        owned = self.owned_results()
        for name, value in self.__dict__.items():
            if name.startswith("_") and name != "_state":
                continue
            self.__dict__[name] = map_tensors(value, convert)
        for name, tensor in owned.items():
            self.own_instead(name, tensor, convert(tensor))

        form: SavedForm | None = self.__dict__.get("_saved_form")
        if form is not None:
            form.tables.clear()
            form.forget_upgrade(self.class_version())
            form.extras = map_tensors(form.extras, convert)

    def _set_or_keep(self, name: str, value: torch.Tensor) -> None:
        if name in ("weight", "bias") and value.is_floating_point():
            self._set_parameter(name, value)
        else:
            self._buffers[name] = value

    def _apply(self: S, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> S:
        """PyTorch's ``.to()``, ``.double()``, ``.cuda()``: the path of ``type()``, sharing kept."""
        probe = fn(self.new())
        target = types.of_layer(probe)

        def change(whole: torch.Tensor) -> torch.Tensor:
            return fn(whole) if whole.is_floating_point() else whole.to(fn(whole).device)

        from torch7py.nn.copying import storage_map

        convert = storage_map(change, {})
        with torch.no_grad():
            self.convert(convert, target.tensor)
        return self

    # -- saved objects ------------------------------------------------------------------------------------

    @classmethod
    def blank(cls: type[S]) -> S:
        """Create an object without running its constructor, for the fields of a saved one."""
        obj = cls.__new__(cls)
        TorchObject.__init__(obj)
        obj.prepare_blank()
        return obj

    def prepare_blank(self) -> None:
        """Set the fields that a saved object may lack.

        A field that older versions lack gets the constructor's default. Layers with more state than their fields
        extend this.
        """
        fields = set(self.all_fields()).difference(self.parameter_fields, self.links, self.lists)
        for name in self.parameter_fields:
            self._parameters.setdefault(name, None)
        for parameter in inspect.signature(type(self).__init__).parameters.values():
            if parameter.name in fields and isinstance(parameter.default, (bool, int, float, str)):
                self.__dict__[parameter.name] = parameter.default

    @classmethod
    def matches(cls, names: Collection[str]) -> bool:
        """Whether a saved object of this name and with these fields is of this class, if several have the name."""
        if any(name not in names for name in cls.essential):
            return False
        fields = set(cls.all_fields()).difference(_COMMON)
        strange = set(names).difference(_COMMON, fields, cls.links, cls.lists)
        return not (fields and strange) or not fields.isdisjoint(names)

    def known_fields(self) -> list[str]:
        """The names of all fields that the class stores itself."""
        return list(dict.fromkeys((*self.all_fields(), *self.links, *self.lists)))

    def restore(self, fields: Mapping[str, Any], version: int = 1) -> None:
        """Set the fields of a saved object, in their order.

        Parameters are set before their gradients, children before everything. Fields that the class does not know are
        kept, as fields, to be saved again.
        """
        form = self.__dict__["_saved_form"] = SavedForm(list(fields), version)
        self.begin_restore(fields)
        known = set(self.known_fields())
        has_children = self.child_list() is not None
        for name, value in fields.items():
            if name not in known and not (has_children and name == "modules"):
                form.extras[name] = value
        if has_children:
            known.discard("modules")
        for name in sorted((name for name in fields if name in known), key=lambda n: _turn(n, fields[n])):
            self.set_field(name, fields[name])
        self.end_restore()

    def begin_restore(self, fields: Mapping[str, Any]) -> None:
        """The first step of ``restore``: set the children."""
        children = fields.get("modules")
        if children is not None and self.child_list() is not None:
            self.set_saved_children(children)

    def set_saved_children(self, children: Any) -> None:
        if not isinstance(children, list) or not all(isinstance(c, torch.nn.Module) for c in children):
            raise TorchError(f"{self.class_name}: modules is not a table of modules")
        self.set_child_list(list(children))

    def set_child_list(self, children: list[Any]) -> None:
        raise TorchError(f"{self.class_name} has no list of modules")

    def end_restore(self) -> None:
        """The last step of ``restore``: all fields are set."""
        form: SavedForm = self.__dict__["_saved_form"]
        listed = set(form.order)
        self.fill_absent()
        if "_type" not in listed:
            values = (self.get_field(name) for name in self.known_fields())
            tensor = next((t for t in values if isinstance(t, torch.Tensor) and t.is_floating_point()), None)
            if tensor is not None:
                self.__dict__["_type"] = types.of(tensor).tensor
        form.absent = {name: self.get_field(name) for name in self.known_fields() if name not in listed}
        self.restored()
        self.own_read_results()

    def own_read_results(self) -> None:
        """Own the results that were read: the next ones are to take their place."""
        for name in ("output", "gradInput"):
            self.own_results(name, self.__dict__.get(name))

    def without_constructor(self) -> None:
        """No constructor runs: what each sets is nil until somebody sets it."""
        self.__dict__.update(output=None, gradInput=None)

    def fill_absent(self) -> None:
        """Set the missing fields to nil."""
        for name in self.parameter_fields:
            self._parameters.setdefault(name, None)
        for name in self.known_fields():
            if not hasattr(self, name):
                attributes: dict[str, Any] = self._modules if name in self.links else self.__dict__
                attributes[name] = None

    def restored(self) -> None:
        """Compute what a layer keeps besides its fields."""

    def saved_fields(self) -> dict[str, Any]:
        """The fields to save, in order: those of the file and later ones, else those of the class."""
        overrides = self.__dict__.get("_overrides")
        return self.engine_fields_to_save({} if overrides is None else overrides.foreign_fields(self))

    def field_to_save(self, name: str) -> Any:
        """The value of a field as a file has it."""
        return self.get_field(name)

    @classmethod
    def _inherited(cls, name: str) -> dict[str, Any]:
        """A class attribute that is a dict, merged with those of the base classes."""
        merged: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            merged |= base.__dict__.get(name, {})
        return merged

    def _as_the_original(self, values: dict[str, Any], form: SavedForm | None) -> None:
        """Remove fields that the original's object would not have, and add those that only it has.

        An object that was read keeps the fields of its file.
        """
        for name, value in self._inherited("nil_as").items() if form is None else ():
            held = values.get(name)
            is_empty = value == () and isinstance(held, torch.Tensor) and held.numel() == 0
            if is_empty or (type(held) is type(value) and held == value):
                del values[name]
        for name, value in self._inherited("spare").items():
            if name not in values and (form is None or name in form.order):
                values[name] = self._spare(value)

    def _spare(self, value: Any) -> Any:
        if callable(value):
            return value(self)
        return self.new(*value) if isinstance(value, tuple) else copy.deepcopy(value)

    def engine_fields_to_save(self, lua_fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """``saved_fields``, with the fields that another language added in ``lua_fields``."""
        form: SavedForm | None = self.__dict__.get("_saved_form")
        known = self.known_fields()
        values: dict[str, Any] = {}
        for name in known if form is None else dict.fromkeys((*known, *form.order, *form.extras)):
            value = self.child_list() if name == "modules" else None
            if value is None:
                value = (
                    form.extras[name]
                    if form is not None and name in form.extras
                    else self.field_to_save(name)
                )
            unsaved = name in self.unsaved or name in self.__dict__.get("_made_by_owner", ())
            is_saved = not unsaved or (form is not None and name in form.order)
            if value is not None and is_saved:
                values[name] = value
        self._as_the_original(values, form)
        if form is None:
            known = list(dict.fromkeys((*known, *values)))
        elif form.is_upgraded:
            if form.is_as_before(values):
                values = {n: v for n, v in values.items() if n not in form.after} | form.before
            else:
                form.forget_upgrade(self.class_version())
        values |= lua_fields or {}
        return {name: values[name] for name in fields_to_save(form, (*known, *(lua_fields or ())), values)}

    @property
    def saved_version(self) -> int:
        """The class version to save the object under."""
        form: SavedForm | None = self.__dict__.get("_saved_form")
        return self.class_version() if form is None else form.version

    @classmethod
    def class_version(cls) -> int:
        """The version of the class: 1 if it does not state one, whatever its base does."""
        version: int = cls.__dict__.get("version", 1)
        return version

    # -- structure ----------------------------------------------------------------------------------------

    @classmethod
    def exports(cls) -> dict[str, str]:
        """All methods that a script may call: Lua name -> Python attribute."""
        exports: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            exports |= base.__dict__.get("lua_methods", {})
        return exports

    def inner(self) -> Iterator[TorchObject]:
        """The objects that this one consists of, visible to scripts or not."""
        for child in self._modules.values():
            if isinstance(child, TorchObject):
                yield child

    def child_list(self) -> list[TorchObject] | None:
        """The field ``modules`` as a script sees it; None for a layer without such a field."""
        return None

    # -- copies -------------------------------------------------------------------------------------------

    def __deepcopy__(self: S, memo: dict[Any, Any]) -> S:
        copied = self.__class__.__new__(self.__class__)
        memo[id(self)] = copied
        gradients = {name: self.gradient(name) for name in self._gradients}
        with torch.no_grad(), with_what_follows(memo) as following:
            for name, value in self.__dict__.items():
                if name not in self.transient and value is not self._gradients:
                    copied.__dict__[name] = _copy_attribute(value, memo)
            for name, value in self.__dict__["_own"].items():
                if isinstance(value, torch.Tensor) and self.is_marked(name, value):
                    copied.mark_result(name, copied.__dict__["_own"][name])
            copied.__dict__["_gradients"] = {name: deep_copy(g, memo) for name, g in gradients.items()}
            for name in copied._gradients:
                copied._attach(name)
            overrides = self.__dict__.get("_overrides")
            if overrides is not None:
                following.append(partial(overrides.copy_to, self, copied, memo))
        return copied

    def __getstate__(self) -> dict[str, Any]:
        overrides = self.__dict__.get("_overrides")
        if overrides is not None:
            overrides.check_pickle(self)
        return {name: value for name, value in self.__dict__.items() if name not in self.transient}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        torch.nn.Module.__setstate__(self, attributes)
        for name in self._gradients:
            parameter = self._parameters.get(name)
            if parameter is not None:
                parameter.torch7_gradient = None  # type: ignore[attr-defined]
            self._attach(name)

    # -- text ---------------------------------------------------------------------------------------------

    @property
    def class_name(self) -> str:
        """The Torch7 class name, a Lua subclass's own where there is one."""
        return self.__dict__.get("_class_name") or self.torch7_name

    def describe(self) -> str:
        """What ``tostring`` gives in Lua."""
        return self.class_name

    def _get_name(self) -> str:
        return self.class_name

    def extra_repr(self) -> str:
        """What Lua's text says in parentheses, else the sizes of the parameters."""
        if any(child is not None for child in self._modules.values()):
            return ""
        said = re.fullmatch(r"[\w.]+\((.*)\)", self.describe())
        if said is not None:
            return said[1]
        sizes = ((name, "x".join(map(str, p.shape))) for name, p in self._parameters.items() if p is not None)
        return ", ".join(f"{name}: {size or 'a number'}" for name, size in sizes)


def _turn(name: str, value: Any) -> int:
    """The order in which fields are restored: modules first, since others may depend on them, gradients last."""
    if isinstance(value, TorchObject):
        return 0
    return 2 if name.startswith("grad") and name[4:5].isupper() else 1


# What every object has, or may have: no sign of its class.
_COMMON = frozenset(
    """output gradInput _type weight bias gradWeight gradBias train shared modules maxOutNorm maxInNorm cutoffNorm
    moduleLocal wdFactor wdMinDim momFactor momDamp momNesterov momGradParams dpnn_cinput dpnn_online
    dpnn_serialEmpty""".split()
)


def _copy_attribute(value: Any, memo: dict[Any, Any]) -> Any:
    if type(value).__module__ == "collections":  # torch.nn.Module's OrderedDicts of hooks and children
        copied = type(value)()
        for key, item in value.items():
            copied[key] = deep_copy(item, memo)
        return copied
    if isinstance(value, set):
        return set(value)
    return deep_copy(value, memo)
