"""What ``torch7py run`` sets for its process."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

# How many bytes C's allocator keeps of what 20 tensors of 16 MB took: nothing by its own defaults.
PROGRAM = """
import ctypes, sys, torch
from torch7py.cli.process import keep_freed_memory

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


@pytest.mark.parametrize(("before", "after"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_wait_without_spinning(tmp_path, before, after):
    """OpenMP reads the policy when PyTorch is loaded, so the command sets it first; a user's own stays."""
    program = tmp_path / "program.lua"
    program.write_text("io.write(os.getenv('OMP_WAIT_POLICY'))")
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if before is not None:
        environment["OMP_WAIT_POLICY"] = before
    command = [sys.executable, "-m", "torch7py", "run", str(program)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert result.stdout == after
