"""The fields of an object: what a Torch7 script reads and writes under the layer's own names.

They are parameters, gradient buffers or plain attributes here; ``get_field``/``set_field`` is the one way in for both
languages. The tensors among them stay the same objects where Torch7 overwrote its buffers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import torch

from torch7py.nn.saved_form import SavedForm
from torch7py.nn.trace import leaves_of, same_memory
from torch7py.ops import state, types
from torch7py.ops.errors import NotKnown, TorchError
from torch7py.ops.tracing import in_transform

__all__ = ["FieldHolder", "has_hooks", "hooks_of", "what_became"]

V = TypeVar("V")


# Those that are called for all modules.
_EVERYWHERE = [
    getattr(torch.nn.modules.module, f"_global_{name}_hooks")
    for name in ("forward", "forward_pre", "backward", "backward_pre")
]


def hooks_of(module: torch.nn.Module) -> tuple[Any, ...]:
    """The collections of those that listen to the calls of a module, or of any."""
    return (
        module._forward_hooks,
        module._forward_pre_hooks,
        module._backward_hooks,
        module._backward_pre_hooks,
        *_EVERYWHERE,
    )


def has_hooks(module: torch.nn.Module) -> bool:
    """Whether somebody listens to the calls of a module: a formula that stands for several layers steps aside then."""
    return any(hooks_of(module))


_serials = itertools.count()  # of the objects whose results are marked
_use_count: Callable[[int], int] | None = getattr(torch._C, "_storage_Use_Count", None)


def _is_seen_elsewhere(result: torch.Tensor, mark: tuple[int, str]) -> bool:
    """Whether other tensors lie in a result's memory, which is the one of that mark; False if PyTorch does not tell."""
    memory = result.untyped_storage()
    if getattr(memory, "result_of", None) != mark or _use_count is None:
        return False
    return _use_count(memory._cdata) > 2  # the tensor and the storage itself


def what_became(tensor: Any) -> Any:
    """The parameter that stands for a tensor since an object has it as one, else the tensor itself."""
    parameter = getattr(tensor, "torch7_parameter", None)
    return parameter if parameter is not None and same_memory(parameter, tensor) else tensor


def _parameter_of(tensor: torch.Tensor) -> torch.nn.Parameter:
    """The parameter that a tensor becomes, the same for all objects that have this tensor.

    The clones of a recurrent step have the tensors of the first one, in a file too: what moves one moves all.
    """
    known = what_became(tensor)
    if isinstance(known, torch.nn.Parameter):
        return known
    parameter = torch.nn.Parameter(tensor.data)
    types.label(parameter, types.of_layer(tensor))
    tensor.torch7_parameter = parameter  # type: ignore[attr-defined]
    return parameter


class FieldHolder(torch.nn.Module):
    """A ``torch.nn.Module`` with the fields of Torch7.

    Class attributes that a layer may add to:

    - ``fields``: the names that a script may read and write on it (a subclass lists only its own);
    - ``links``: those of its attributes that hold one module;
    - ``parameter_fields``: the fields that are parameters, ``buffer_fields``: those that are PyTorch's buffers;
    - ``new_lists``: results that are another list after each pass, where those of others stay and are refilled.
    """

    fields: ClassVar[tuple[str, ...]] = ("output", "gradInput", "_type")
    links: ClassVar[tuple[str, ...]] = ()
    new_lists: ClassVar[tuple[str, ...]] = ()
    parameter_fields: ClassVar[tuple[str, ...]] = ("weight", "bias")
    buffer_fields: ClassVar[tuple[str, ...]] = ()

    output: Any
    gradInput: Any
    _type: str
    noting: bool = False  # whether a forward is the protocol's, after which a script may look at what it did

    if TYPE_CHECKING:  # torch.nn.Module promises only tensors and modules here

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self) -> None:
        super().__init__()
        settings = state.current()
        number_type = settings.default_type
        output = types.label(torch.empty(0, dtype=number_type.dtype, device=settings.device), number_type)
        gradient = types.label(output.new_empty(0), number_type)
        self.__dict__.update(
            _gradients={},
            _own={"output": output, "gradInput": gradient},
            _type=number_type.tensor,
            output=output,
            gradInput=gradient,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``forward`` with PyTorch's hooks, or what another language has put in its place (``_elsewhere``)."""
        elsewhere = self.__dict__.get("_elsewhere")
        if elsewhere is not None:
            return elsewhere(*args)
        return super().__call__(*args, **kwargs)

    # -- tensors ------------------------------------------------------------------------------------------

    @property
    def number_type(self) -> types.NumberType:
        """The number type that ``type()`` reports."""
        return types.named(self._type)

    def new(self, *sizes: int) -> torch.Tensor:
        """A tensor of zeros of this object's type, where the runtime places tensors; no sizes: an empty one."""
        number_type = self.number_type
        tensor = torch.zeros(sizes or (0,), dtype=number_type.dtype, device=state.current().device)
        return types.label(tensor, number_type)

    def keep(self, name: str, value: torch.Tensor, is_result: bool = False) -> torch.Tensor:
        """Make ``value`` the content of a tensor this object owns, such as its output.

        The tensor object stays the same while its type does and takes over the memory of ``value``: whoever
        holds the old output sees the new one, as when Torch7 overwrote its buffers. Where a script has views of the
        old one, its memory gets the new numbers instead. For that both must be results that were computed for this
        object (``is_result``) and that nobody else keeps, no views of what it was given.
        """
        if (
            in_transform()
            and name in self.__dict__
            and torch._C._functorch.is_functorch_wrapped_tensor(value)
        ):
            raise TorchError(
                f"{type(self).__name__}: within a function transform a layer is called, m(x), and no method of it"
            )
        attributes = self.__dict__
        owned: dict[str, torch.Tensor] = attributes["_own"]
        if name in owned and owned[name] is attributes.get(name):
            held = owned[name]
            if held.dtype == value.dtype and held.device == value.device:
                apart = self._overwrite(held, name, value, is_result)
                if name == "output":
                    attributes["_apart"] = value if apart else None
                return held
        value = self._labelled(value.data)
        attributes[name] = owned[name] = value
        if is_result:
            self.mark_result(name, value)
        return value

    def mark_result(self, name: str, value: torch.Tensor) -> None:
        """Mark the memory of a tensor that this object owns as what was computed for it under this name."""
        value.untyped_storage().result_of = (self._serial, name)  # type: ignore[attr-defined]

    def is_marked(self, name: str, value: torch.Tensor) -> bool:
        """Whether the memory of a tensor is still what was computed for this object under this name."""
        return getattr(value.untyped_storage(), "result_of", None) == (self._serial, name)

    def is_seen(self, name: str, value: torch.Tensor) -> bool:
        """Whether other tensors lie in the memory of this result."""
        return _is_seen_elsewhere(value, (self._serial, name))

    def _overwrite(self, held: torch.Tensor, name: str, value: torch.Tensor, is_result: bool) -> bool:
        """Let a tensor that this object owns show a new value; returns whether that was copied into its memory."""
        # A mark on the memory tells whether it is still what was computed for this object under this name.
        mark = (self._serial, name) if is_result else None
        if mark is not None and _is_seen_elsewhere(held, mark):
            held.resize_(value.shape).copy_(value)
            return True
        held.data = value
        if mark is not None:
            value.untyped_storage().result_of = mark  # type: ignore[attr-defined]
        return False

    def own_results(self, name: str, value: Any) -> None:
        """Own what is read as a result under this name, unless it is another object's."""
        if isinstance(value, list):
            for number, item in enumerate(value, 1):
                self.own_results(f"{name}/{number}", item)
        elif isinstance(value, torch.Tensor) and not hasattr(value.untyped_storage(), "result_of"):
            self.__dict__["_own"][name] = value
            self.mark_result(name, value)

    def owned_results(self) -> dict[str, torch.Tensor]:
        """The tensors that this object owns and shows, by their names."""
        owned: dict[str, torch.Tensor] = self.__dict__["_own"]
        return {
            name: tensor
            for name, tensor in owned.items()
            if any(leaf is tensor for leaf in leaves_of(self.__dict__.get(name.partition("/")[0])))
        }

    def own_instead(self, name: str, tensor: torch.Tensor, other: torch.Tensor) -> None:
        """Own another tensor in the place of one."""
        self.__dict__["_own"][name] = other
        if self.is_marked(name, tensor):
            self.mark_result(name, other)

    def let_go(self, name: str) -> None:
        """Let the next result of this name be a new tensor: whoever holds the last one keeps its numbers."""
        owned = self.__dict__["_own"]
        for key in [key for key in owned if key == name or key.startswith(f"{name}/")]:
            del owned[key]

    @property
    def _serial(self) -> int:
        """A number that no other object has."""
        serial: int | None = self.__dict__.get("_result_mark")
        if serial is None:
            serial = self.__dict__["_result_mark"] = next(_serials)
        return serial

    def noted(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of this object as the protocol does: what a script may look at is kept (see ``note``)."""
        attributes = self.__dict__
        attributes["noting"] = True
        try:
            return function(*arguments)
        finally:
            attributes["noting"] = False

    def note(self, name: str, value: V) -> V:
        """Keep what a script may look at after a forward, such as the mask that was drawn; returns the value.

        The protocol alone keeps it: a forward that Python calls leaves the object as it was, for there a value may
        belong to a function transform and be gone after it.
        """
        if self.noting:
            if isinstance(value, torch.Tensor):
                self.keep(name, value.detach())
            else:
                self.__dict__[name] = value
        return value

    def _labelled(self, value: Any) -> Any:
        """What this object makes, of its own type where that is a CUDA type."""
        return types.label_all(value) if self.__dict__["_type"].startswith("torch.Cuda") else value

    def keep_list(self, name: str, values: list[Any]) -> list[Any]:
        """Make these the entries of a list of results: the list object stays and is refilled, but for ``new_lists``."""
        held = self.__dict__.get(name)
        if self.__dict__["_type"].startswith("torch.Cuda"):
            types.label_all([v for v in leaves_of(values) if v.is_floating_point()])
        if isinstance(held, list) and name not in self.new_lists:
            held[:] = values
            return held
        self.__dict__[name] = values
        return values

    def keep_results(self, name: str, values: list[Any], sources: Any = ()) -> list[Any]:
        """The same where this object has computed the entries: their tensors stay the same objects, as in ``keep``.

        So do the tables among them. An entry that lies in the memory of one of the ``sources`` is a view of it, and
        one that is a source itself takes no tensor's place.
        """
        if in_transform():
            return self.keep_list(name, values)
        given = {id(source): source.untyped_storage().data_ptr() for source in leaves_of(sources)}
        memories = set(given.values())
        return self.keep_list(name, self._settled(name, self.__dict__.get(name), values, given, memories))

    def _settled(
        self, name: str, held: Any, value: Any, given: Container[int] = (), memories: Container[int] = ()
    ) -> Any:
        """A value, or the tensors of the value held before with the numbers of this one.

        ``given`` has the ids of tensors that stay what they are, ``memories`` where others lie that are no results.
        """
        owned: dict[str, Any] = self.__dict__["_own"]
        mine = owned.get(name)
        if isinstance(value, list):
            before = held if isinstance(held, list) else []
            before = [*before, *[None] * (len(value) - len(before))]
            entries = enumerate(zip(before, value, strict=False), 1)
            items = [self._settled(f"{name}/{number}", *pair, given, memories) for number, pair in entries]
            if "/" not in name:
                return items
            if mine is not held or not isinstance(mine, list):
                mine = owned[name] = []
            mine[:] = items
            return mine
        if not isinstance(value, torch.Tensor) or id(value) in given:
            return value
        is_view = value.untyped_storage().data_ptr() in memories
        if mine is not None and mine is held and mine.dtype == value.dtype and mine.device == value.device:
            self._overwrite(mine, name, value.data, is_result=not is_view and mine.is_contiguous())
            return mine
        owned[name] = value = value.data
        if not is_view:
            self.mark_result(name, value)
        return value

    # -- fields -------------------------------------------------------------------------------------------

    def field_names(self) -> list[str]:
        """The fields that are not nil, in the order they are declared, base class first.

        Whoever goes through all of them asks for none: a result that is not known any more is left out.
        """
        names = [name for name in self.all_fields() if self.get_field(name) is not None]
        return names if self.__dict__.get("_inside") is None else [*filter(self._is_known, names)]

    def _is_known(self, name: str) -> bool:
        try:
            self.read_field(name)
        except NotKnown:
            return False
        return True

    @classmethod
    def all_fields(cls) -> list[str]:
        names: dict[str, None] = {}
        for base in reversed(cls.__mro__):
            for name in base.__dict__.get("fields", ()):
                names[name] = None
        return list(names)

    def read_field(self, name: str) -> Any:
        """A field that a script reads, after what is computed only for those who look at the inside of a part."""
        inside = self.__dict__.get("_inside")
        if inside is not None and name in ("output", "gradInput"):
            catch_up = self.__dict__.get("_catch_up")
            if catch_up is not None:
                catch_up()
            inside.show_inside(self, name)
        return self.get_field(name)

    def get_field(self, name: str) -> Any:
        catch_up = self.__dict__.get("_catch_up")
        if catch_up is not None:
            catch_up()
        if name.startswith("grad") and name[4:5].isupper() and name != "gradInput":
            gradient = self.gradient(name[4].lower() + name[5:])
            if gradient is not None:
                return gradient
        for values in (self._parameters, self.__dict__, self._buffers, self._modules):
            if name in values:
                return values[name]
        form: SavedForm | None = self.__dict__.get("_saved_form")
        return None if form is None else form.extras.get(name)

    def set_field(self, name: str, value: Any) -> Any:
        """Set a field and return the object that now stands for it (a tensor may become a parameter)."""
        if name.startswith("grad") and name[4:5].isupper() and name != "gradInput":
            parameter = name[4].lower() + name[5:]
            # a layer of a script's may bring the gradient before the parameter
            known = (self._parameters, self._buffers, self._gradients, self.parameter_fields)
            if any(parameter in names for names in known):
                self._set_gradient(parameter, value)
                return value
        if name in self._parameters or name in self._buffers or name in self.parameter_fields:
            return self._set_parameter(name, value)
        if name in self._modules or name in self.links:
            self._modules[name] = value
            return value
        form: SavedForm | None = self.__dict__.get("_saved_form")
        if form is not None and name in form.extras:
            form.extras[name] = value
            return value
        if name in self.buffer_fields and isinstance(value, torch.Tensor):
            self._buffers[name] = value
            return value
        self.__dict__[name] = value
        return value

    def _set_parameter(self, name: str, value: torch.Tensor | None) -> torch.Tensor | None:
        self._buffers.pop(name, None)
        self.__dict__.pop(name, None)
        if value is None:
            self._parameters[name] = None
        elif isinstance(value, torch.nn.Parameter):
            self._parameters[name] = value
        elif value.is_floating_point():
            value = self._parameters[name] = _parameter_of(value)
        else:
            self._parameters.pop(name, None)
            self._buffers[name] = value
        self._attach(name)
        return value

    # -- gradient buffers ---------------------------------------------------------------------------------

    def gradient(self, name: str) -> torch.Tensor | None:
        """The gradient buffer of a parameter, brought up to date with what PyTorch did to ``.grad``.

        A ``.grad`` that is None means zero, a foreign one is copied in; either way the buffer is ``.grad``
        again afterwards.
        """
        buffer: torch.Tensor | None = self._gradients.get(name)
        parameter = self._parameters.get(name)
        if buffer is None or parameter is None:
            return buffer
        grad = parameter.grad
        if grad is buffer:
            return buffer
        attached = getattr(parameter, "torch7_gradient", None)
        if attached is None:
            self._attach(name)
        elif grad is None:
            attached.zero_()
            parameter.grad = attached
        elif grad is not attached:
            attached.copy_(grad)
            parameter.grad = attached
        return buffer

    # The same for the layer itself, which hands the buffer to nobody (see nn/touched_rows.py).
    own_gradient = gradient

    def _set_gradient(self, name: str, value: torch.Tensor | None) -> None:
        parameter = self._parameters.get(name)
        if parameter is not None and getattr(parameter, "torch7_gradient", None) is self._gradients.get(name):
            parameter.grad = None
            parameter.torch7_gradient = None  # type: ignore[attr-defined]
        self._gradients[name] = value
        self._attach(name)

    def _attach(self, name: str) -> None:
        """Make the gradient buffer the parameter's ``.grad`` if it fits and the parameter has none of ours."""
        buffer, parameter = self._gradients.get(name), self._parameters.get(name)
        if buffer is None or parameter is None or getattr(parameter, "torch7_gradient", None) is not None:
            return
        if (
            buffer.shape == parameter.shape
            and buffer.dtype == parameter.dtype
            and buffer.device == parameter.device
        ):
            if parameter.grad is not None and parameter.grad is not buffer:
                buffer.copy_(parameter.grad)
            parameter.grad = buffer
            parameter.torch7_gradient = buffer  # type: ignore[attr-defined]

    def add_parameter(self, name: str, value: torch.Tensor) -> None:
        """A parameter with its gradient buffer: fields ``weight`` and ``gradWeight`` for ``"weight"``."""
        number_type = types.of_layer(value)
        gradient = self._gradients[name] = types.label(torch.zeros_like(value), number_type)
        self._buffers.pop(name, None)
        self.__dict__.pop(name, None)
        parameter = self._parameters[name] = torch.nn.Parameter(value)
        types.label(parameter, number_type)
        parameter.grad = parameter.torch7_gradient = gradient  # type: ignore[attr-defined]
