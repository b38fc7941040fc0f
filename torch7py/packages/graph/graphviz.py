"""Graphviz, where its programs are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from torch7py.ops.errors import TorchError

__all__ = ["installed", "positions", "write"]


def installed(algorithm: str) -> bool:
    """Whether there is a program for this layout."""
    return shutil.which(algorithm) is not None


def _run(text: str, algorithm: str, *options: str) -> str:
    done = subprocess.run([algorithm, *options], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TorchError(f"Graphviz ({algorithm}): {done.stderr.strip() or 'failed'}")
    return done.stdout


def write(text: str, algorithm: str, path: str) -> None:
    """A file of the kind that the path's ending says, of a graph in Graphviz's language."""
    kind = Path(path).suffix.lstrip(".")
    if not kind:
        raise TorchError(f"the name of a drawing must end in its kind, such as .svg: '{path}'")
    _run(text, algorithm, f"-T{kind}", "-o", path)


def positions(text: str, algorithm: str, count: int) -> list[list[float]]:
    """The positions of the nodes n1, n2, ..., relative to the drawing's size."""
    centres = [[0.0, 0.0] for _ in range(count)]
    width = height = 1.0
    for line in _run(text, algorithm, "-Tplain").splitlines():
        words = line.split()
        if words[:1] == ["graph"]:
            width, height = float(words[2]), float(words[3])
        elif words[:1] == ["node"] and re.fullmatch(r"n\d+", words[1]):
            centres[int(words[1][1:]) - 1] = [float(words[2]) / width, float(words[3]) / height]
    return centres
