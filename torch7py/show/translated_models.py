"""Models beside the classes that they became: pictures, layers, what was compared, and the page of Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from torch7py.html.markup import Content, Markup, join, tag
from torch7py.show.code_lines import numbered, python_lines
from torch7py.show.measure import Measured, sizes_of
from torch7py.show.picture import Shown, model_section
from torch7py.show.structure import Model, model_of
from torch7py.translate.layers.shapes import walk
from torch7py.translate.model import ClassSource, ModelSource
from torch7py.translate.side_by_side import Subject
from torch7py.translate.translated_models import TranslatedModel

__all__ = ["models_section", "pictures_of"]


def pictures_of(source: ModelSource) -> dict[str, Markup]:
    """A drawing of each model of a page, with the sizes that its layers were seen to take and give, by its name."""
    sections = {}
    for number, cls in enumerate(source.classes, 1):
        model = model_of(cls.layer.module)
        sections[cls.name] = model_section(Shown(model, _seen(cls, model), number=number), heading=False)
    return sections


def _seen(cls: ClassSource, model: Model) -> Measured | None:
    if cls.example is None:
        return None
    measured = Measured(sizes_of(cls.example))
    layers = {id(layer.module): layer for layer in walk(cls.layer)}
    for part in model.root.walk():
        layer = layers.get(id(part.module))
        if layer is not None and layer.shape_in is not None:
            measured.inputs[part.number] = sizes_of(_of_shape(layer.shape_in))
            measured.outputs[part.number] = sizes_of(_of_shape(layer.shape_out))
    return measured


def _of_shape(shape: Any) -> Any:
    """Tensors without numbers, nested as shapes are."""
    if isinstance(shape, tuple):
        return torch.empty(shape, device="meta")
    return [_of_shape(item) for item in shape] if isinstance(shape, list) else None


def models_section(subject: Subject, pictures: Mapping[str, Content]) -> list[Markup]:
    """All that is shown of the models of a file; nothing for a program."""
    if not subject.models:
        return []
    return [*(_model(one, pictures.get(one.name)) for one in subject.models), _page(subject)]


def _model(one: TranslatedModel, picture: Content) -> Markup:
    what = "class" if one.is_model else "function of a criterion"
    return tag(
        "section",
        tag("h2", one.name, " ", tag("small", what)),
        _verified(one),
        picture,
        _table(("in the class", "in Torch7", "in PyTorch"), one.layers, "Layers"),
    )


def _verified(one: TranslatedModel) -> list[Markup]:
    """On which input, and how far each thing that was compared was apart."""
    if not one.errors:
        return [tag("p", f"Not verified: {one.unverified}.", class_="soft")] if one.unverified else []
    on = ""
    if one.input:
        whose = "of the size that was given" if one.given else "of a size that its layers tell"
        on = f"The input was random numbers {whose}: {one.input}. "
    worst = max(one.errors, key=lambda name: one.errors[name])
    conclusion = "Nothing differs in any digit."
    if one.errors[worst]:
        conclusion = f"The largest relative error is {one.errors[worst]:.1e}, of the {worst}."
    rows = [(name, f"{error:.1e}") for name, error in one.errors.items()]
    table = _table(("compared", "largest relative error"), rows, "What was compared")
    return [tag("p", on, conclusion, class_="soft"), *filter(None, [table])]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> Markup | None:
    """A table that is folded at first."""
    if not rows:
        return None
    body = [tag("tr", [tag("td", tag("code", cell)) for cell in row]) for row in rows]
    table = tag(
        "table",
        tag("thead", tag("tr", [tag("th", head) for head in heads])),
        tag("tbody", body),
        class_="files",
    )
    return tag(
        "details",
        tag("summary", tag("b", title), " ", tag("small", str(len(rows)))),
        tag("div", table, class_="scroll"),
        class_="piece",
    )


def _page(subject: Subject) -> Markup:
    lines = python_lines(subject.code)
    weights = join("Its weights are in ", tag("code", subject.weights), ".") if subject.weights else None
    return tag(
        "section",
        tag("h2", "The page"),
        tag("p", weights, class_="soft") if weights else None,
        tag(
            "div",
            tag(
                "div",
                tag("pre", [numbered(n, lines) for n in range(1, len(subject.code) + 1)]),
                class_="pair alone s-native",
            ),
            class_="pairs",
        ),
    )
