"""Names of layers and of tensor methods stand in the registers, not in the rules of the translator.

The numbers say how many there are still in literals; they may only be lowered.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch7py.translate
from torch7py.nn.registry import layers
from torch7py.translate.facts.methods import READING
from torch7py.translate.native.program import translate_script

FOLDER = Path(torch7py.translate.__file__).parent
LAYERS = 26
METHODS = 1343
_LAYER = re.compile(r"(nn|cudnn|rnn)\.[A-Z]\w+")
_WORDS = re.compile(r"[\w.]+(?:\s+[\w.]+)*")


def literals() -> Iterator[tuple[Path, str]]:
    """The words of literals that are nothing but names, in what writes pages outside of facts and layers."""
    for path in sorted(FOLDER.rglob("*.py")):
        # what a page has beside it, which is no part of the translator, and what names its functions
        if path.parent.name == "page_library" or path.name == "plain.py":
            continue
        if path.relative_to(FOLDER).parts[0] not in ("layers", "facts", "ports"):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and _WORDS.fullmatch(node.value.strip())
                ):
                    yield from ((path.relative_to(FOLDER), word) for word in node.value.split())


def test_names_of_layers_become_fewer() -> None:
    assert callable(translate_script)  # all rules and layers are loaded
    # Those of nn and rnn: which packages have put others into the register hangs on the tests before this one.
    own = {
        name for name, made in layers.items() if made.__module__.startswith(("torch7py.nn.", "torch7py.rnn."))
    }
    bare = {name.partition(".")[2] for name in own} - {"GPU", "PyTorch"}  # which are words of sentences, too
    found = Counter(
        path for path, word in literals() if re.fullmatch(r"(nn|cudnn|rnn)\.[A-Z]\w+", word) or word in bare
    )
    assert found.total() <= LAYERS, found.most_common(5)


def test_names_of_methods_become_fewer() -> None:
    methods = READING | set("add mul div cmul cdiv csub fill zero copy resize resizeAs".split())
    found = Counter(path for path, word in literals() if word in methods)
    assert found.total() <= METHODS, found.most_common(5)
