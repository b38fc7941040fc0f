"""mnist: the digits' images and labels, from the files of Yann LeCun's page."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import torch

from torch7py.ops.errors import TorchError
from torch7py.ops.support import restricted
from torch7py.packages.registry import function

__all__ = ["read"]

FOLDERS = ("mnist", "data/mnist", "data", ".")
for _name in ("traindataset", "testdataset"):
    restricted(
        f"mnist.{_name}",
        "the images do not come with this project: train-images-idx3-ubyte and the three other files, or their "
        "*.gz, are looked for in the folder named by MNIST_DIR, then in mnist, data/mnist, data and the program's own",
    )


def _content(name: str) -> bytes:
    folders = [os.environ["MNIST_DIR"]] if "MNIST_DIR" in os.environ else []
    for folder in (*folders, *FOLDERS):
        for file in (Path(folder, name), Path(folder, f"{name}.gz")):
            if file.is_file():
                data = file.read_bytes()
                return gzip.decompress(data) if file.suffix == ".gz" else data
    raise TorchError(
        f"mnist: there is no file {name} or {name}.gz in {', '.join((*folders, *FOLDERS))}; "
        "the environment variable MNIST_DIR may name their folder"
    )


def _values(name: str, dimensions: int) -> torch.Tensor:
    data = _content(name)
    start = 4 + 4 * dimensions
    sizes = np.frombuffer(data, ">i4", dimensions, 4) if len(data) >= start else np.zeros(0, ">i4")
    if data[:3] != b"\0\0\x08" or data[3] != dimensions or len(data) != start + int(np.prod(sizes)):
        raise TorchError(f"mnist: {name} is no file of bytes in {dimensions} dimensions, or it is not whole")
    return torch.frombuffer(bytearray(data[start:]), dtype=torch.uint8).view(*sizes.tolist())


@function("mnist._read")
def read(which: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The images and labels of ``train`` or ``t10k``."""
    images, labels = _values(f"{which}-images-idx3-ubyte", 3), _values(f"{which}-labels-idx1-ubyte", 1)
    if len(images) != len(labels):
        raise TorchError(f"mnist: {len(images)} images and {len(labels)} labels")
    return images, labels
