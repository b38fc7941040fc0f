"""The benchmarks: how fast torch7py is beside plain PyTorch, both measured in the same run (README.md)."""
