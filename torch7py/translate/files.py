"""A ``.t7`` file as a page of PyTorch: a class for each model in it, a function for each criterion."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from torch7py.files import load
from torch7py.nn.base import Criterion
from torch7py.nn.object import TorchObject
from torch7py.ops.atomic_file import replacing
from torch7py.ops.errors import TorchError
from torch7py.t7.objects import Table
from torch7py.translate.example_input import criterion_example, dtype_of, example_of, refusal, repeats
from torch7py.translate.input_sizes import Sizes, Wanted, make
from torch7py.translate.layers.registry import NotNative
from torch7py.translate.layers.shapes import name_shapes, show_shapes
from torch7py.translate.layers.writer import identifier
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
from torch7py.translate.quoting import is_name
from torch7py.translate.user_classes import UserClasses
from torch7py.translate.verify import Comparison, Different, verify_class, verify_criterion

# A second set of sizes: what differs between the two is free.
OTHER = Sizes(batch=4, steps=7)

__all__ = ["models_in", "translate_file", "verify_file", "write_page", "write_weights"]


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
    words = re.sub(r"[^A-Za-z0-9]+", " ", text).split()
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if is_name(name) else f"Model{name}"


def translate_file(
    path: str | os.PathLike[str],
    inputs: Mapping[str, Wanted] | None = None,
    user_classes: UserClasses | None = None,
) -> ModelSource:
    """All models and criterions of a ``.t7`` file as one page; ``user_classes``: what a program defines for them.

    A file that is one model gives the class ``Model``, or with a criterion alone the function ``criterion``; in a
    table each has the name of its key. With several models the weights' names begin with the name of their class.

    Each model is run on an input that shows what shapes its layers take: of the sizes in ``inputs`` by the name of the
    class (under ``""`` for a file with one model), else of inferred ones. Where none is found ``example`` of the class
    stays None, and inputs are taken for batches.

    Errors: ``NotNative`` where there is nothing to translate, or a layer has no native form (with where it stands);
    ``TorchError`` where a model does not run on the sizes that were given for it.
    """
    origin = Path(path).name
    sources: list[ClassSource | FunctionSource] = []
    taken: set[str] = set()
    for key_path, module in models_in(load(path) if user_classes is None else user_classes.root):
        key = key_path.rpartition(".")[2]
        called = (
            identifier(key) or "criterion" if isinstance(module, Criterion) else _class_name(key or "Model")
        )
        name = _free(called, taken)
        input_sizes = inputs.get(name, inputs.get("")) if inputs else None
        source = _source(module, name, f"{origin}{key_path and ', '}{key_path}", input_sizes)
        if (
            user_classes is not None
            and isinstance(source, ClassSource)
            and not repeats(module, source.example)
        ):
            source.example, source.unverified = None, "a layer of the program's own draws random numbers"
        sources.append(source)
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
    code = page(sources, title)
    return ModelSource(
        code if user_classes is None else user_classes.completed(code), weights, report, classes, functions
    )


def _source(module: TorchObject, name: str, where: str, input_sizes: Wanted) -> ClassSource | FunctionSource:
    layer = layer_of(module)
    try:
        if isinstance(module, Criterion):
            return write_criterion(layer, name)
        example = example_of(module, layer) if input_sizes is None else make(input_sizes, dtype_of(module))
        refused = "" if input_sizes is None else refusal(module, example)
        if refused:
            raise TorchError(
                f"{where}: the model {name} does not run on an input of the size given: {refused}"
            )
        if example is not None:
            show_shapes(layer, example)
            other = None if input_sizes is not None else example_of(module, layer, OTHER)
            if other is not None:
                name_shapes(layer, example, other, (Sizes(), OTHER))
        source = write_model(layer, name, factored=True)
        source.example, source.example_given = example, input_sizes is not None
        return source
    except NotNative as error:
        raise NotNative(f"{where}: {error}") from None


def _free(name: str, taken: set[str]) -> str:
    base, number = name, 1
    while name in taken:
        number += 1
        name = f"{base}{number}"
    taken.add(name)
    return name


def verify_file(source: ModelSource) -> dict[str, Comparison]:
    """Run each class of a page that has an example beside its model, in double; what was compared, by name.

    Criterions whose kind of target is known are compared too.

    Errors: ``Different`` where outputs or gradients are not the same, with what was compared until then.
    """
    comparisons: dict[str, Comparison] = {}
    for cls in source.classes:
        if cls.example is None:
            continue
        model: Any = cls.layer.module.clone()
        model.torch7_double()
        try:
            comparisons[cls.name] = verify_class(model, source.code, cls, _as_double(cls.example))
        except Different as difference:
            raise _named(difference, cls.name, comparisons) from None
    for function in source.functions:
        criterion: Any = function.layer.module.clone()
        criterion.torch7_double()
        example = criterion_example(criterion, function.layer)
        if example is None:
            continue
        alone = ModelSource(source.code, {}, [], [], [function])
        try:
            comparisons[function.name] = verify_criterion(criterion, alone, *example)
        except Different as difference:
            raise _named(difference, function.name, comparisons) from None
    return comparisons


def _named(difference: Different, name: str, before: dict[str, Comparison]) -> Different:
    """A difference with the name of the class, or function, in which it is, and all comparisons by name."""
    named = Different(f"{name}: {difference}")
    comparison = difference.comparison
    named.comparison = before if comparison is None else before | {name: comparison}
    return named


def _as_double(value: Any) -> Any:
    return [_as_double(item) for item in value] if isinstance(value, list) else value.double()


def write_page(
    source: ModelSource, out: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None
) -> None:
    """Write a page, and its weights as safetensors; by default beside the page, under its name."""
    target = Path(out)
    with replacing(target) as temporary:
        Path(temporary).write_text(source.code, encoding="utf-8")
    if source.weights:
        write_weights(
            source.weights, target.with_suffix(".safetensors") if weights is None else Path(weights)
        )


def write_weights(weights: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write a state_dict as safetensors."""
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, temporary)
