"""What Torch7 calls the modules of a page, for functions of the pages' library that go through them as Torch7 does.

``net:apply(f)``, ``net:findModules(name)`` and ``torch.type(layer)`` are proved where the page can say with
``isinstance`` which modules are meant (``models/module_traversal.py``, ``models/layer_tests.py``). Others are plain
calls in a page that has a module of PyTorch's for each of Torch7's (``t.apart``): the library needs their names.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from torch7py.translate import page_library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.layers import Layer
from torch7py.translate.layers.as_modules import TURNED, weight_rank
from torch7py.translate.layers.helpers import HELPERS
from torch7py.translate.native.code import quoted
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.tree import Call
from torch7py.translate.usage import required

__all__ = ["PACKAGES_OF_LAYERS", "PLACE", "LayerNames", "told"]

# The packages whose layers a page has by their names, where they are values.
PACKAGES_OF_LAYERS = ("nn", "cudnn")
# Stands in pages where the names go, which are known when all pages are written.
PLACE = f"{page_library.MODULE}.LAYERS.update()"


class LayerNames:
    """Collects what Torch7 calls the modules that a page makes.

    ``is_told``: whether what is made now gets its name when the page makes it, because it is not known what else is
    made of its class. ``are_asked``: whether it matters which name a class has, and not only that it is a layer's.
    """

    def __init__(self, t: Translation, calls: Mapping[int, Call]) -> None:
        self.t, self.calls = t, calls
        self.are_asked = self.is_told = False
        self._shared: set[str] = set()  # classes for several layers, of which each module is told its name
        # Both by the class's name in the page.
        self._told: dict[str, list[Layer]] = defaultdict(list)
        self._made: dict[str, list[Layer]] = defaultdict(list)

    def note(self, layer: Layer, text: str) -> None:
        """Note what is made of a layer: ``nn.Linear(3, 4)``, or a class of the page."""
        made = self._told if self.is_told else self._made
        made[text.partition("(")[0].removeprefix("nn.")].append(layer)

    def named(self, layer: Layer, text: str, classes: Mapping[str, str | None]) -> str:
        """A module as it is made, with its own name where its class has several.

        ``classes``: those of the program's layers.
        """
        cls = text.partition("(")[0]
        if self.is_told or len([name for name, other in classes.items() if other == cls]) < 2:
            return text
        self._shared.add(cls.removeprefix("nn."))
        self.t.mixed = True
        return told(self._name(layer), text)

    def _name(self, layer: Layer) -> str:
        call = self.calls.get(id(layer))
        return (self.t.path(call.callee) if call is not None else None) or layer.name

    def need(self, of_classes: bool) -> None:
        """Have the names on this page. ``of_classes``: it asks which class a module is of."""
        self.t.needed_lines[PLACE] = None
        self.are_asked |= of_classes

    @cached_property
    def has_packages(self) -> bool:
        """Whether the program has a package of layers as a value, so that it may make others than it names."""
        t = self.t
        known = {node.base for node in tree.every(t.program, tree.Index)}
        # Known too is where it is only asked whether it is there, and for which package modules are made ready.
        for node in tree.walk(t.program):
            if isinstance(node, tree.Unary) and node.operator == "not":
                known.add(node.operand)
            elif isinstance(node, tree.If):
                known.update(condition for condition, _ in node.branches)
            elif isinstance(node, tree.Assignment):
                known.update(node.targets)
                for target, value in zip(node.targets, node.values, strict=False):
                    if isinstance(target, tree.Name) and t.scopes.of_name[target] in t.types.packages:
                        known.add(value)  # of which it is another name
            elif isinstance(node, Call) and t.path(node.callee) == "cudnn.convert":
                known.update(node.arguments)
        names = [node for node in tree.every(t.program, tree.Name) if node not in known]
        called = {node.call for node in tree.every(t.program, tree.Run)}
        return any(t.path(node) in PACKAGES_OF_LAYERS for node in names) or any(
            t.path(node.callee) == "require" and required(node) is None and node not in called
            for node in tree.every(t.program, Call)
        )

    @property
    def conflict(self) -> str:
        """Why the modules of the page are not Torch7's, one by one; empty where they are."""
        for name, layers in self._made.items():
            if name != "Sequential" and any(layer.children for layer in layers):
                return f"{name} is one module in the page"
        names = self._names()
        several = [
            cls
            for cls, (name, _) in names.items()
            if name is None and cls in self._made and cls not in self._shared
        ]
        return f"{several[0]} is the class of several layers" if several and self.are_asked else ""

    def line(self) -> str:
        """The statement that tells the library of them."""
        entries = (
            f"{cls}=({None if name is None else quoted(name)}, {is_alike})"
            for cls, (name, is_alike) in sorted(self._names().items())
        )
        return f"{page_library.MODULE}.LAYERS.update({', '.join(entries)})"

    def _names(self) -> dict[str, tuple[str | None, bool]]:
        """For each class its name in Torch7, if it has but one, and whether its weights lie as they do there."""
        names: dict[str, set[str]] = defaultdict(set)
        alike: dict[str, bool] = {}
        for made in (self._made, self._told):
            for cls, layer in ((cls, layer) for cls, layers in made.items() for layer in layers):
                if facts.parts(layer.name) != "none" or layer.slots:
                    continue  # which has modules inside that the page has not
                names[cls] |= {self._name(layer)} if made is self._made else set()
                is_alike = weight_rank(layer.name) is not None and layer.name not in TURNED
                alike[cls] = alike.get(cls, True) and (is_alike or facts.without_weights(layer.name))
        for lua_class, name in self.t.classes.names.items():
            if lua_class.instance.kind == "module":
                names[name.rpartition(".")[2]].add(lua_class.name)
                alike[name.rpartition(".")[2]] = False
        for name in ("Sequential", *_LISTS):
            if f"nn.{name}" in self.t.layer_names:
                names[name].add(f"nn.{name}")
                alike.setdefault(name, True)  # which have none
        return {
            cls: (min(known) if len(known) == 1 else None, alike.get(cls, False))
            for cls, known in names.items()
        }


def told(name: str, module: str) -> str:
    """A module that is told what Torch7 calls it."""
    return f"{page_library.MODULE}.named_as({quoted(name)}, {module})"


# Containers that are lists of modules in pages, by their names in both.
_LISTS = [
    node.name
    for text in HELPERS.values()
    for node in ast.parse(text).body
    if isinstance(node, ast.ClassDef)
    and [ast.unparse(base) for base in node.bases] == ["nn.ModuleList"]
    and facts.grows(f"nn.{node.name}")
]
