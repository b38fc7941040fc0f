"""Import optional libraries when a package needs them, and say how to install one that is missing."""

from __future__ import annotations

import importlib
import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from types import ModuleType

from torch7py.ops.errors import TorchError

__all__ = ["import_library", "install_command"]

# The names of libraries in prose and for installers where these are not the names of their modules.
TITLES = {"PIL": "Pillow", "scipy": "SciPy", "onnx": "ONNX"}
DISTRIBUTIONS = {"PIL": "pillow"}


def install_command(*modules: str) -> str:
    """The command that installs libraries for the Python that runs, in versions that torch7py works with."""
    requirements = []
    for module in modules:
        name = DISTRIBUTIONS.get(module, module)
        requirements.append(next((text for text in _requirements() if re.match(rf"{name}\b", text)), name))
    return f"{sys.executable} -m pip install " + " ".join(f"'{text}'" for text in requirements)


def _requirements() -> list[str]:
    """The requirements of torch7py's extras, such as ``scipy>=1.12``; empty when it is not installed."""
    try:
        texts = requires("torch7py") or []
    except PackageNotFoundError:
        return []
    return [text.partition(";")[0].strip() for text in texts if "extra ==" in text]


def import_library(module: str, purpose: str) -> ModuleType:
    """Import a module of an optional library.

    Without it, raise a TorchError with the ``purpose`` that needs it (a plural, such as "plots") and the command that
    installs it.
    """
    root = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] != root:
            raise  # the library is there and lacks something itself
        raise TorchError(f"{purpose} need {TITLES.get(root, root)}: {install_command(root)}") from None
