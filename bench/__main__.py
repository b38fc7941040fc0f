"""``python -m bench``: run the benchmarks and print the table."""

from __future__ import annotations

from pathlib import Path

import click
import torch

from bench import (
    attention,
    char_rnn,
    element_loop,
    large_tensors,
    lenet,
    loading,
    many_modules,
    one_example,
    operations,
    optimizers,
    pairs,
    policy,
    pools,
    post,
    recorded,
    sequences,
    small_calls,
    start_up,
    translating,
    turing_machine,
    value_learning,
)
from bench.device import compute_on
from bench.measure import Result
from bench.report import HEADER, as_json, row, surroundings
from torch7py.cli.process import keep_freed_memory

BENCHMARKS = {
    "post": post.results,
    "char_rnn": char_rnn.results,
    "lenet": lenet.results,
    "loading": loading.results,
    "one_example": one_example.results,
    "value_learning": value_learning.results,
    "attention": attention.results,
    "turing_machine": turing_machine.results,
    "policy": policy.results,
    "pools": pools.results,
    "optimizers": optimizers.results,
    "many_modules": many_modules.results,
    "element_loop": element_loop.results,
    "large_tensors": large_tensors.results,
    "operations": operations.results,
    "pairs": pairs.results,
    "programs": recorded.results,
    "sequences": sequences.results,
    "small_calls": small_calls.results,
    "start_up": start_up.results,
    "translate": translating.results,
}


# The trainings of which each step is large enough for a GPU.
ON_GPU = ("post", "char_rnn", "lenet", "sequences")


@click.command(epilog=f"NAME: {', '.join(BENCHMARKS)}; none for all.")
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)), metavar="[NAME]...")
@click.option(
    "--quick", is_flag=True, help="The smallest sizes: shows that all runs, says nothing about speed."
)
@click.option("--missed", is_flag=True, help="Print only the lines that miss their target.")
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help=f"Where to compute; on a GPU {', '.join(ON_GPU)}.",
)
@click.option(
    "--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the results here too."
)
def main(names: tuple[str, ...], quick: bool, missed: bool, device: str, path: Path | None) -> None:
    """Measure torch7py beside plain PyTorch, one thread, in this one process."""
    if device == "cuda":
        if not torch.cuda.is_available():
            raise click.UsageError("--device cuda: PyTorch finds no CUDA GPU on this machine")
        others = [name for name in names if name not in ON_GPU]
        if others:
            raise click.UsageError(f"--device cuda: {', '.join(others)} computes on the CPU alone")
        names = names or ON_GPU
    compute_on(device)
    torch.set_num_threads(1)
    click.echo(", ".join(f"{name} {value}" for name, value in surroundings().items()))
    if quick:
        click.echo("quick: the figures say nothing about speed")
    keep_freed_memory()  # as `torch7py run` does
    found: list[Result] = []
    for name in names or BENCHMARKS:
        click.echo(f"\n{name}\n{HEADER}")
        before = len(found)
        for result in BENCHMARKS[name](quick):
            if not missed or result.met is False:
                click.echo(row(result))
            found.append(result)
        judged = [result.met for result in found[before:] if result.met is not None]
        if judged:
            click.echo(f"{sum(judged)} of {len(judged)} meet their target")
    if path is not None:
        path.write_text(as_json(found))


if __name__ == "__main__":
    main(prog_name="python -m bench")
