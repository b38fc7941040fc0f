"""The register of optional libraries: what each adds, which programs need it, and how it is installed."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass
from importlib import util
from types import ModuleType

from torch7py.ops.errors import TorchError

__all__ = ["LIBRARIES", "Library", "import_library", "install_command", "is_installed"]


@dataclass(frozen=True)
class Library:
    """A library that some packages and commands need.

    ``module`` is what Python imports, ``distribution`` what is installed, by torch7py's ``extras``; ``adds`` says what
    there is with it. A Lua program needs it that requires one of the ``packages``, or calls one of the ``functions``:
    ``image.save``, or ``optim.Logger:plot`` for a method. ``without_file`` are endings of files for which a function
    does without it.
    """

    module: str
    title: str
    distribution: str
    extras: tuple[str, ...]
    adds: str
    packages: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    without_file: tuple[str, ...] = ()


LIBRARIES = {
    library.module: library
    for library in (
        Library(
            "PIL",
            "Pillow",
            "pillow",
            ("image",),
            "PNG and JPEG files",
            packages=("graphicsmagick",),
            functions=tuple(
                f"image.{name}"
                for name in (
                    "load loadPNG loadJPG save savePNG saveJPG decompress decompressPNG decompressJPG compressPNG"
                    " compressJPG getSize"
                ).split()
            ),
            without_file=("ppm", "pgm", "pnm", "t7"),
        ),
        Library("h5py", "h5py", "h5py", ("hdf5",), "HDF5 files", packages=("hdf5",)),
        Library(
            "matplotlib",
            "matplotlib",
            "matplotlib",
            ("plot",),
            "plots, of gnuplot and of `torch7py plot`",
            packages=("gnuplot",),
            functions=("optim.Logger:plot",),
        ),
        Library(
            "scipy",
            "SciPy",
            "scipy",
            ("cephes", "matio"),
            "MATLAB's files and special functions",
            packages=("cephes", "matio", "mattorch"),
        ),
        Library(
            "pcre2", "pcre2", "pcre2", ("pcre",), "regular expressions of rex_pcre", packages=("rex_pcre",)
        ),
        Library("onnx", "ONNX", "onnx", ("onnx",), "ONNX files of `torch7py convert`"),
        Library("onnxscript", "onnxscript", "onnxscript", ("onnx",), "ONNX files of `torch7py convert`"),
        Library("IPython", "IPython", "ipython", ("jupyter",), "cells of Lua in notebooks of Python"),
        Library("ipykernel", "ipykernel", "ipykernel", ("jupyter",), "notebooks, also of Lua alone"),
        Library(
            "prompt_toolkit",
            "prompt_toolkit",
            "prompt-toolkit",
            ("repl",),
            "completion, history and editing in `torch7py repl`",
        ),
    )
}


def is_installed(module: str) -> bool:
    return sys.modules.get(module) is not None or (
        module not in sys.modules and util.find_spec(module) is not None
    )


def install_command(*modules: str) -> str:
    """The command that installs libraries for the Python that runs, in versions that torch7py works with."""
    requirements = []
    for module in modules:
        library = LIBRARIES.get(module)
        name = module if library is None else library.distribution
        requirements.append(next((text for text in _requirements() if re.match(rf"{name}\b", text)), name))
    return f"{sys.executable} -m pip install " + " ".join(f"'{text}'" for text in requirements)


def _requirements() -> list[str]:
    """The requirements of torch7py's extras, such as ``scipy>=1.12``; empty when it is not installed."""
    from importlib.metadata import PackageNotFoundError, requires  # which takes a while, and few need it

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
        title = LIBRARIES[root].title if root in LIBRARIES else root
        raise TorchError(f"{purpose} need {title}: {install_command(root)}") from None
