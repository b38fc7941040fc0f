"""hdf5: files of the HDF5 format, by h5py."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "hdf5", __name__, ".files", requires=("torch", "paths"), lua="hdf5.lua", makes_global=True, projects=15
)
