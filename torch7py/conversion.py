"""What a ``.t7`` file holds in the formats of others: safetensors, PyTorch's, numpy's, ONNX."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from torch7py.nn.object import TorchObject
from torch7py.nn.unknown_layer import UnknownLayer
from torch7py.ops import types
from torch7py.ops.atomic_file import replacing
from torch7py.ops.errors import TorchError
from torch7py.ops.memory import Storage
from torch7py.packages.optional_libraries import install_command, is_installed
from torch7py.t7.objects import Function, Object, Table, has_fields
from torch7py.wording import counted

__all__ = ["WRITERS", "Contents", "contents", "entry", "model_in", "models_in", "parse_input"]

MAX_DEPTH = 100
NO_STATE = ("grad", "output", "_")  # how the names of tensors begin that are results and buffers

Path = str | os.PathLike[str]


@dataclass
class Contents:
    """The tensors of an object by name, and what else is in it.

    ``aliases`` are names of tensors that are the very numbers of another: alias -> name. ``values`` are numbers,
    strings and booleans by name, ``classes`` the classes of objects by name, ``left_out`` what has no place here.
    """

    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def entry(root: Any, path: str) -> Any:
    """The part of an object that a path of keys leads to, such as ``protos.rnn`` or ``models.1``."""
    value = root
    for step in filter(None, path.split(".")):
        fields = value.fields if isinstance(value, Object) and has_fields(value) else value
        keys = [step, int(step)] if step.isdigit() else [step]
        if isinstance(fields, Table) and any(key in fields for key in keys):
            value = next(fields[key] for key in keys if key in fields)
        else:
            raise TorchError(f"there is no entry {step!r} on the way {path!r}")
    return value


def _join(prefix: str, name: Any) -> str:
    return f"{prefix}.{name}" if prefix else str(name)


def _without_wrappers(module: torch.nn.Module) -> Callable[[str], str]:
    """Names in a module without the steps into a DataParallelTable, which is its one module on several GPUs."""
    steps = [
        f"{name}.0" if name else "0"
        for name, part in module.named_modules()
        if getattr(part, "class_name", "") == "nn.DataParallelTable"
    ]

    def shorten(name: str) -> str:
        for step in reversed(steps):  # the inner ones first: the outer ones' names stay as they are
            if name == step or name.startswith(f"{step}."):
                name = (step[:-1].removesuffix(".") + name[len(step) :]).removeprefix(".")
        return name

    return shorten


def state_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A module's ``state_dict``, with the tensors of layers whose class is not known here; plain tensors.

    A DataParallelTable is no part of the names.
    """
    shorten = _without_wrappers(module)
    state = {name: value.detach() for name, value in module.state_dict().items()}
    for name, part in module.named_modules():
        if isinstance(part, UnknownLayer):
            extras = part.__dict__["_saved_form"].extras
            state |= {
                _join(name, key): value.detach()
                for key, value in extras.items()
                if isinstance(value, torch.Tensor) and isinstance(key, str) and not key.startswith(NO_STATE)
            }
    return {shorten(name): value for name, value in state.items()}


def contents(root: Any) -> Contents:
    """Take an object apart. Layers have PyTorch's names inside, tables their keys."""
    contents = Contents()
    first: dict[Any, str] = {}
    seen: set[int] = set()

    def add(name: str, tensor: torch.Tensor) -> None:
        if name in contents.tensors or name in contents.aliases:
            raise TorchError(f"two tensors would have the name {name!r}")
        tensor = tensor.detach()
        memory_key = (
            tensor.untyped_storage()._cdata,
            tensor.storage_offset(),
            tuple(tensor.shape),
            tensor.stride(),
        )
        if tensor.numel() and first.setdefault(memory_key, name) != name:
            contents.aliases[name] = first[memory_key]
        else:
            contents.tensors[name] = tensor

    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, torch.Tensor):
            add(name or "tensor", value)
        elif isinstance(value, Storage):
            add(name or "storage", value.tensor())
        elif value is None:
            continue
        elif isinstance(value, (bool, int, float, str)):
            contents.values[name] = value
        elif id(value) in seen:
            contents.left_out.append(f"{name} (the same as another)")
        elif isinstance(value, torch.nn.Module):
            seen.add(id(value))
            for key, tensor in state_of(value).items():
                add(_join(name, key), tensor)
            shorten = _without_wrappers(value)
            for key, part in value.named_modules():
                if isinstance(part, TorchObject) and part.class_name != "nn.DataParallelTable":
                    contents.classes[_join(name, shorten(key))] = part.class_name
        elif isinstance(value, (Table, Object)):
            seen.add(id(value))
            if isinstance(value, Object):
                contents.classes[name] = value.class_name
            inner = list(_entries(value))
            waiting += [(_join(name, key), item) for key, item in reversed(inner) if _is_name(key)]
            contents.left_out += [
                f"{name}: a key that is a {type(k).__name__}" for k, _ in inner if not _is_name(k)
            ]
        else:
            contents.left_out.append(f"{name or 'the whole'}: a {type(value).__name__}")
    return contents


def _is_name(key: Any) -> bool:
    return isinstance(key, (str, int, float, bool))


def _entries(value: Table | Object) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Table):
        yield from value.items()
    elif has_fields(value):
        yield from value.fields.items()
    else:
        yield from enumerate(value.payload, 1)


def models_in(root: Any) -> dict[str, torch.nn.Module]:
    """The models in an object, each once, by their paths in it. Criterions are none, nor is what is inside a model."""
    models: dict[int, tuple[str, torch.nn.Module]] = {}
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, torch.nn.Module):
            if value.class_name != "nn.Criterion" and not str(value.class_name).endswith("Criterion"):
                models.setdefault(id(value), (name, value))
        elif isinstance(value, (Table, Object)) and id(value) not in seen:
            seen.add(id(value))
            inner = [(_join(name, key), item) for key, item in _entries(value) if _is_name(key)]
            waiting += reversed(inner)
    return dict(models.values())


def model_in(root: Any) -> torch.nn.Module:
    """The one model in an object."""
    models = models_in(root)
    if len(models) != 1:
        named = ", ".join(sorted(models))
        raise TorchError(
            f"{len(models)} models in the file ({named}): name one by --entry" if models else "no model in it"
        )
    return next(iter(models.values()))


# -- the formats -------------------------------------------------------------------------------------------


def _check(checkpoint: Contents, path: Path) -> None:
    """Refuse what has no tensors, or more numbers than there is room for: an expanded tensor may have any number."""
    if not checkpoint.tensors:
        raise TorchError("there is no tensor in it")
    room = shutil.disk_usage(os.path.dirname(path) or ".").free
    if sum(tensor.nbytes for tensor in checkpoint.tensors.values()) > room:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))


def _in_text(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False)


def to_safetensors(root: Any, path: Path, inputs: Sequence[str]) -> str:
    """Tensors by name. In the metadata, as JSON: ``aliases``, ``values`` and ``classes`` (see ``Contents``)."""
    from safetensors.torch import save_file

    checkpoint = contents(root)
    _check(checkpoint, path)
    metadata = {"format": "pt", "source": "torch7"}
    for name in ("aliases", "values", "classes"):
        if part := getattr(checkpoint, name):
            metadata[name] = _in_text(part)
    storages: set[int] = set()
    tensors = {name: _apart(tensor, storages) for name, tensor in checkpoint.tensors.items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata)
    return _count(checkpoint)


def _apart(tensor: torch.Tensor, storages: set[int]) -> torch.Tensor:
    """A tensor without gaps on memory of its own; ``storages`` are those that others have."""
    storage = tensor.untyped_storage()
    if tensor.is_contiguous() and storage.nbytes() == tensor.nbytes and storage._cdata not in storages:
        storages.add(storage._cdata)
        return tensor
    return tensor.clone(memory_format=torch.contiguous_format)


def _count(checkpoint: Contents) -> str:
    count = len(checkpoint.aliases)
    aliases = f" and {count} alias{'es' * (count != 1)}" if count else ""
    left = f"; left out: {', '.join(checkpoint.left_out[:5])}" if checkpoint.left_out else ""
    return f"{counted(len(checkpoint.tensors), 'tensor')}{aliases}{left}"


def to_npz(root: Any, path: Path, inputs: Sequence[str]) -> str:
    """An array for each tensor, aliases included."""
    import numpy as np

    checkpoint = contents(root)
    _check(checkpoint, path)
    arrays = {name: tensor.cpu().numpy() for name, tensor in checkpoint.tensors.items()}
    arrays |= {name: arrays[kept] for name, kept in checkpoint.aliases.items()}
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):  # savez takes not all names
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return _count(checkpoint)


def to_pt(root: Any, path: Path, inputs: Sequence[str]) -> str:
    """A model as its ``state_dict``; tables as dicts and lists with such in them. ``torch.load`` reads it safely."""
    left: list[str] = []
    done: dict[int, Any] = {}

    def plain(value: Any, name: str, depth: int) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, torch.Tensor):
            return value.detach()
        if isinstance(value, Storage):
            return value.tensor()
        if id(value) in done:
            return done[id(value)]
        if depth > MAX_DEPTH:
            raise TorchError(f"more than {MAX_DEPTH} tables inside each other")
        if isinstance(value, torch.nn.Module):
            done[id(value)] = state_of(value)
            return done[id(value)]
        if isinstance(value, (Table, Object)):
            entries = list(_entries(value))
            copy: Any
            if isinstance(value, Table) and value.is_array():
                copy = done[id(value)] = []
                copy += [plain(item, _join(name, n), depth + 1) for n, item in enumerate(value.array(), 1)]
                return copy
            copy = done[id(value)] = {}
            for key, item in entries:
                if not _is_name(key):
                    left.append(f"{name}: a key that is a {type(key).__name__}")
                elif isinstance(item, Function):
                    left.append(f"{_join(name, key)}: a function")
                else:
                    copy[key] = plain(item, _join(name, key), depth + 1)
            return copy
        left.append(f"{name or 'the whole'}: a {type(value).__name__}")
        return None

    data = plain(root, "", 0)
    if data is None:
        raise TorchError("there is nothing in it that a .pt file could hold")
    with replacing(path) as temporary:
        torch.save(data, temporary)
    return "state_dict" + (f"; left out: {', '.join(left[:5])}" if left else "")


_INPUT = re.compile(r"(\d+(?:x\d+)*)(?::([A-Za-z]+))?\Z")


def parse_input(text: str, default: str = "float") -> torch.Tensor:
    """An example of an input from its sizes and number type: ``1x3x224x224``, ``5x3:long``; by default floats."""
    match = _INPUT.match(text)
    name = (match.group(2) or default).capitalize() if match else ""
    if match is None or name not in types.BY_NAME:
        raise TorchError(
            f"{text!r} is no input: sizes and a number type are wanted, such as 1x3x32x32 or 5x3:long"
        )
    sizes = [int(size) for size in match.group(1).split("x")]
    # Indices begin with 1, and a network of convolutions does not mind either.
    return torch.ones(sizes, dtype=types.BY_NAME[name].dtype)


def _forget(model: torch.nn.Module) -> None:
    """Let recurrent layers begin a sequence: what is exported has no memory from call to call."""
    for part in model.modules():
        forget = getattr(part, "forget", None)
        if forget is not None:
            forget()


def to_onnx(root: Any, path: Path, inputs: Sequence[str]) -> str:
    """The one model in the file, in evaluation and with floats, for inputs of the sizes given.

    Recurrent layers begin with their first step in each call.
    """
    missing = [name for name in ("onnx", "onnxscript") if not is_installed(name)]
    if missing:
        raise TorchError(f"ONNX files need {' and '.join(missing)}: {install_command(*missing)}")
    if not inputs:
        raise TorchError("ONNX needs the size of the input: --input 1x3x32x32, once for each input")
    model = model_in(root)
    unknown = sorted({m.class_name for m in model.modules() if isinstance(m, UnknownLayer)})
    if unknown:
        raise TorchError(f"layers of classes that are not known here cannot run: {', '.join(unknown)}")
    model.float().eval()
    examples: Any = [parse_input(text) for text in inputs]
    examples = examples[0] if len(examples) == 1 else examples
    _forget(model)
    with torch.no_grad():
        model(examples)  # a wrong size is the model's own error
    _forget(model)
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the exporter says to its developers
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        try:
            torch.onnx.export(model, (examples,), temporary, dynamo=True, external_data=False, verbose=False)
        except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
            raise TorchError(f"PyTorch cannot export this model: {str(error).splitlines()[0]}") from error
    return counted(sum(p.numel() for p in model.parameters()), "parameter")


WRITERS: dict[str, Callable[[Any, Path, Sequence[str]], str]] = {
    ".safetensors": to_safetensors,
    ".pt": to_pt,
    ".npz": to_npz,
    ".onnx": to_onnx,
}
