"""A ``.t7`` file as a page of PyTorch: a class for each model in it, a function for each criterion."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from torch7py.files import load
from torch7py.nn.base import Criterion
from torch7py.nn.object import TorchObject
from torch7py.ops.atomic import replacing
from torch7py.t7.objects import Table
from torch7py.translate.layers.registry import NotNative
from torch7py.translate.model import (
    ClassSource,
    FunctionSource,
    ModelSource,
    layer_of,
    page,
    report_of,
    write_criterion,
    write_model,
)
from torch7py.translate.writer import identifier

__all__ = ["models_in", "translate_file", "write_page"]


def models_in(root: Any) -> Iterator[tuple[str, TorchObject]]:
    """The models and criterions of a file, each once, with where they stand (``protos.rnn``)."""
    seen: set[int] = set()
    waiting = [("", root)]
    while waiting:
        path, value = waiting.pop(0)
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, TorchObject):
            yield path, value
        elif isinstance(value, (Table, dict)):
            waiting += [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
        elif isinstance(value, (list, tuple)):
            waiting += [(f"{path}.{n}" if path else str(n), item) for n, item in enumerate(value, 1)]


def _class_name(text: str) -> str:
    words = re.sub(r"\W+", " ", text.replace("_", " ")).split()
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name.isidentifier() else f"Model{name}"


def translate_file(path: str | os.PathLike[str]) -> ModelSource:
    """All models and criterions of a ``.t7`` file as one page.

    A file that is one model gives the class ``Model``, or with a criterion alone the function ``criterion``; in a
    table each has the name of its key. With several models the weights' names begin with the name of their class.

    Errors: ``NotNative`` where there is nothing to translate, or a layer has no native form (with where it stands).
    """
    origin = Path(path).name
    sources: list[ClassSource | FunctionSource] = []
    taken: set[str] = set()
    for place, found in models_in(load(path)):
        key = place.rpartition(".")[2]
        wanted = (
            identifier(key) or "criterion" if isinstance(found, Criterion) else _class_name(key or "Model")
        )
        sources.append(_source(found, _free(wanted, taken), f"{origin}{place and ', '}{place}"))
    if not sources:
        raise NotNative(f"{origin}: no model in it")
    classes = [source for source in sources if isinstance(source, ClassSource)]
    functions = [source for source in sources if isinstance(source, FunctionSource)]
    weights: dict[str, torch.Tensor] = {}
    for cls in classes:
        prefix = f"{cls.name}." if len(classes) > 1 else ""
        weights |= {prefix + entry: tensor for entry, tensor in cls.state_dict().items()}
    title = f"{origin} in PyTorch, translated by torch7py."
    report = [line for cls in classes for line in report_of(cls)]
    return ModelSource(page(sources, title), weights, report, classes, functions)


def _source(found: TorchObject, name: str, where: str) -> ClassSource | FunctionSource:
    layer = layer_of(found)
    try:
        return write_criterion(layer, name) if isinstance(found, Criterion) else write_model(layer, name)
    except NotNative as error:
        raise NotNative(f"{where}: {error}") from None


def _free(name: str, taken: set[str]) -> str:
    base, number = name, 1
    while name in taken:
        number += 1
        name = f"{base}{number}"
    taken.add(name)
    return name


def write_page(
    source: ModelSource, out: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None
) -> None:
    """Write a page, and its weights as safetensors; by default beside the page, under its name."""
    from safetensors.torch import save_file

    target = Path(out)
    with replacing(target) as temporary:
        Path(temporary).write_text(source.code)
    if source.weights:
        beside = target.with_suffix(".safetensors") if weights is None else Path(weights)
        with replacing(beside) as temporary:
            save_file({name: tensor.contiguous() for name, tensor in source.weights.items()}, temporary)
