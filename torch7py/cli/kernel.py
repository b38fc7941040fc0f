"""``torch7py kernel``: the kernel of Jupyter for Lua."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import click

from torch7py.cli.failure import Command, Failure, Refusal, traceback_option

__all__ = ["kernel"]

NAME = "torch7py"


@click.group()
def kernel() -> None:
    """Notebooks of Lua: the kernel for Jupyter."""


@kernel.command(cls=Command)
@traceback_option()
@click.option("--user", is_flag=True, help="For this user: the default.")
@click.option("--sys-prefix", is_flag=True, help="For the environment of the Python that runs this.")
@click.option("--prefix", metavar="PATH", help="For the environment at PATH, in its share/jupyter/kernels.")
@click.option("--name", default=NAME, show_default=True, help="How Jupyter calls it.")
def install(user: bool, sys_prefix: bool, prefix: str | None, name: str) -> None:
    """Let Jupyter know the kernel: notebooks of Lua, run by torch7py."""
    if user + sys_prefix + (prefix is not None) > 1:
        raise Refusal("--user, --sys-prefix and --prefix exclude each other")
    from torch7py.packages.optional_libraries import import_library

    import_library("ipykernel", "notebooks")
    specs = import_library("jupyter_client.kernelspec", "notebooks")
    if not specs._is_valid_kernel_name(name):
        raise Refusal(f"{name!r} is no name of a kernel: letters, digits and . _ - are")
    spec = {
        "argv": [sys.executable, "-m", "torch7py.notebook.kernel", "-f", "{connection_file}"],
        "display_name": "Lua (torch7py)",
        "language": "lua",
        "interrupt_mode": "signal",
        "metadata": {"debugger": False},
    }
    where = sys.prefix if sys_prefix else prefix
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "kernel.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
        try:
            target = specs.KernelSpecManager().install_kernel_spec(
                folder, kernel_name=name, user=where is None, prefix=where
            )
        except OSError as error:
            raise Failure(f"{error.filename or where}: {error.strerror}") from None
    click.echo(f"the kernel {name} is in {target}")
