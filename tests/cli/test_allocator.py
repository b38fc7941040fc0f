"""C's allocator, set by ``torch7py run``."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

# How many bytes C's allocator keeps of what 20 tensors of 16 MB took: nothing by its own defaults.
PROGRAM = """
import ctypes, sys, torch
from torch7py.cli.allocator import keep_freed_memory

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

if sys.argv[1] == "kept":
    keep_freed_memory()
tensors = [torch.zeros(2 << 20, dtype=torch.float64) for _ in range(20)]
del tensors
mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Info
print(mallinfo().fordblks)
"""


@pytest.mark.skipif(
    not (sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "mallinfo2")),
    reason="glibc from 2.33 on tells what it keeps",
)
@pytest.mark.parametrize(("how", "least", "most"), [("kept", 300 << 20, 1 << 30), ("default", 0, 64 << 20)])
def test_freed_memory_is_kept(how, least, most):
    command = [sys.executable, "-c", PROGRAM, how]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert least <= int(found.stdout) <= most
