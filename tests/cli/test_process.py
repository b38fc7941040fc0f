"""What ``torch7py run`` sets for its process."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from tests import python_process

# How many bytes C's allocator keeps of what 20 tensors of 16 MB took, by its own defaults and then by ours.
PROGRAM = """
import ctypes, torch
from torch7py.cli.process import keep_freed_memory

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

def kept():
    tensors = [torch.zeros(2 << 20, dtype=torch.float64) for _ in range(20)]
    del tensors
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Info
    return mallinfo().fordblks

print(kept())
keep_freed_memory()
print(kept())
"""


@pytest.mark.skipif(
    not (sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "mallinfo2")),
    reason="glibc from 2.33 on tells what it keeps",
)
def test_freed_memory_is_kept():
    command = [sys.executable, "-c", PROGRAM]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    default, ours = map(int, found.stdout.split())
    assert 0 <= default <= 64 << 20
    assert 300 << 20 <= ours <= 1 << 30


def test_threads_wait_without_spinning(tmp_path):
    """OpenMP reads the policy when PyTorch is loaded, so the command sets it first; a user's own stays."""
    program = tmp_path / "program.lua"
    program.write_text("io.write(os.getenv('OMP_WAIT_POLICY'))")
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    arguments = ["-m", "torch7py", "run", str(program)]
    result = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout == "PASSIVE"
    assert python_process.run(arguments, env={**environment, "OMP_WAIT_POLICY": "ACTIVE"}).stdout == "ACTIVE"
