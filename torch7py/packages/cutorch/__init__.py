"""Torch7's cutorch: tensors of CUDA types, devices, streams.

The CUDA types are those of ``ops/types.py``: the numbers of the other types under names of their own. They lie where
the program's other tensors lie, on the GPU that ``--device cuda`` names or, with ``--cuda-as cpu``, on the CPU.
"""
