"""The models and criterions of a translated file, with what was compared of each, for whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch7py.translate.layers.shapes import shape_of
from torch7py.translate.model import ModelSource, report_of
from torch7py.translate.verify import Comparison

__all__ = ["TranslatedModel", "translated_models"]


@dataclass
class TranslatedModel:
    """A class of a page, or the function of a criterion; it goes from a process to another one.

    ``input`` is the shape of what it was verified on, empty where that is not known, and ``given`` whether somebody
    said it; ``errors`` are the largest relative errors by what was compared. ``layers`` are rows of three: the name in
    the class, Torch7's layer and PyTorch's.
    """

    name: str
    is_model: bool = True
    input: str = ""
    given: bool = False
    unverified: str = ""
    errors: dict[str, float] = field(default_factory=dict)
    layers: list[tuple[str, str, str]] = field(default_factory=list)


def translated_models(source: ModelSource, compared: Mapping[str, Comparison]) -> list[TranslatedModel]:
    """Each model of a page, then each criterion."""
    models = []
    for cls in source.classes:
        errors = compared[cls.name].errors if cls.name in compared else {}
        layers = [(row["name"], row["layer"], row["native"]) for row in report_of(cls)]
        taken = "" if cls.example is None else str(shape_of(cls.example))
        unverified = cls.unverified if cls.example is None else ""
        models.append(
            TranslatedModel(cls.name, True, taken, cls.example_given, unverified, dict(errors), layers)
        )
    for function in source.functions:
        errors = compared[function.name].errors if function.name in compared else {}
        models.append(TranslatedModel(function.name, False, errors=dict(errors)))
    return models
