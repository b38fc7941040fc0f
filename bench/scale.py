"""Steps of training in several processes: the bytes and the time that they take, on paper and measured.

``python -m bench.scale`` measures sums over two processes of gloo on this machine and a character LSTM in one and two
processes, and prints them beside the model's figures. docs/scale.md has them and explains the model.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Link", "Step", "fit"]

STEPS = 12
ANNOUNCED = 1024  # bytes in which each process says what its part of a result is

PROGRAM = """
require 'rnn'
torch.setdefaulttensortype('torch.FloatTensor')
torch.manualSeed(3)
local vocabulary, hidden, length, batch = 65, 256, 50, 64
local model = nn.Sequential():add(nn.LookupTable(vocabulary, hidden))
model:add(nn.SeqLSTM(hidden, hidden)):add(nn.SeqLSTM(hidden, hidden)):add(nn.View(-1, hidden))
model:add(nn.Linear(hidden, vocabulary)):add(nn.LogSoftMax()):add(nn.View(length, -1, vocabulary))
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())
local w, dw = model:getParameters()
local timer, cpu
for i = 1, STEPS do
   if i == 4 then timer, cpu = torch.Timer(), os.clock() end
   local x, t = torch.Tensor(length, batch):random(vocabulary), torch.Tensor(length, batch):random(vocabulary)
   dw:zero()
   local loss = criterion:forward(model:forward(x), t)
   model:backward(x, criterion:backward(model.output, t))
   w:add(-0.1, dw)
end
print(timer:time().real / (STEPS - 3), (os.clock() - cpu) / (STEPS - 3))
"""


@dataclass(frozen=True)
class Link:
    """What connects processes: seconds until a message arrives, and bytes a second."""

    latency: float
    bandwidth: float


@dataclass(frozen=True)
class Step:
    """A step of training. All in bytes: the parameters, the model's output and gradInput for the whole batch.

    ``seconds``: what one process computes in one step, of which ``alone`` is not divided.
    """

    parameters: int
    output: int
    grad_input: int
    seconds: float = 0.0
    alone: float = 0.0

    def summed(self, count: int) -> float:
        """Bytes that each process sends for the sum of the gradients: it goes around a ring, and around again."""
        return 2 * (count - 1) / count * self.parameters

    def gathered(self, count: int) -> float:
        """Bytes that each process sends so that all have the whole output and gradInput."""
        return (count - 1) / count * (self.output + self.grad_input) + 2 * (count - 1) * ANNOUNCED

    def communication(self, count: int, link: Link) -> float:
        """Seconds that a step waits for others: a sum of 2 (N - 1) messages, four gathers of N - 1."""
        messages = 6 * (count - 1)
        return messages * link.latency + (self.summed(count) + self.gathered(count)) / link.bandwidth

    def time(self, count: int, link: Link) -> float:
        """Seconds of a step in so many processes that share a batch of one size."""
        return (
            self.alone
            + (self.seconds - self.alone) / count
            + (self.communication(count, link) if count > 1 else 0)
        )


def fit(points: dict[int, float], count: int) -> Link:
    """The link that explains measured times of sums, by their bytes: a line through the smallest and the largest."""
    small, large = min(points), max(points)
    share = 2 * (count - 1) / count
    bandwidth = share * (large - small) / (points[large] - points[small])
    latency = max(0.0, points[small] - share * small / bandwidth) / (2 * (count - 1))
    return Link(latency, bandwidth)


def measure_sums(count: int, sizes: list[int], rounds: int = 30) -> dict[int, float]:
    """The best time of a sum over processes of gloo, by its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "bench.scale", folder, str(count)]
        arguments = [str(rounds), *map(str, sizes)]
        processes = [
            subprocess.Popen(
                [*command, str(rank), *arguments], stdout=subprocess.PIPE, env=environment, text=True
            )
            for rank in range(count)
        ]
        texts = [process.communicate()[0] for process in processes]
    return {int(size): seconds for size, seconds in json.loads(texts[0]).items()}


def _sum(folder: str, count: int, rank: int, rounds: int, sizes: list[int]) -> None:
    import torch
    import torch.distributed as distributed

    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count
    )
    best: dict[int, float] = {}
    for size in sizes:
        tensor = torch.zeros(size // 4)
        for _ in range(rounds):
            distributed.barrier()
            start = time.perf_counter()
            distributed.all_reduce(tensor)
            best[size] = min(best.get(size, 1e9), time.perf_counter() - start)
    print(json.dumps(best))


def measure_program(*options: str) -> tuple[float, float]:
    """Seconds of a step of the character LSTM by the clock, and of the first process's processor."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "lstm.lua"
        script.write_text(PROGRAM.replace("STEPS", str(STEPS)))
        command = [sys.executable, "-m", "torch7py", "run", "--threads", "1", *options, str(script)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    clock, processor = map(float, re.findall(r"[\d.]+", text)[:2])
    return clock, processor


def main() -> None:
    sizes = [1 << 12, 1 << 20, 1 << 22, 1 << 24]
    sums = measure_sums(2, sizes)
    link = fit(sums, 2)
    print(f"gloo: {link.latency * 1e6:.0f} us a message, {link.bandwidth / 1e9:.2f} GB/s")
    for size, seconds in sums.items():
        print(
            f"  a sum of {size / 1e6:.3f} MB: {seconds * 1e3:.2f} ms, by the model "
            f"{(2 * link.latency + size / link.bandwidth) * 1e3:.2f}"
        )
    for _ in range(3):
        one, two = measure_program(), measure_program("--nproc", "2", "--data-parallel")
        print(
            f"character LSTM, a step: {one[0]:.3f} s, in two processes {two[0]:.3f} s ({two[0] / one[0]:.2f}); "
            f"of a processor {one[1]:.3f} s and {two[1]:.3f} s ({two[1] / one[1]:.2f})"
        )
    step = Step(4 * 1083969, 4 * 50 * 64 * 65, 4 * 50 * 64, one[1])
    print(f"by the model, with processors of their own: {step.time(2, link) / step.seconds:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 4:
        _sum(
            sys.argv[1],
            int(sys.argv[2]),
            int(sys.argv[3]),
            int(sys.argv[4]),
            [int(size) for size in sys.argv[5:]],
        )
    else:
        main()
