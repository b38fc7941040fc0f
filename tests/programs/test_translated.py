"""Real programs, translated as they are: native, and equal to the originals in what they print and learn.

They are not part of this project: ``TORCH7PY_UPSTREAM`` names a folder with checkouts of their repositories
(``practical6``, ``char-rnn``, ``rnn``, ``demos``, each in a folder of that name).
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import Unforeseen, verify_script

UPSTREAM = os.environ.get("TORCH7PY_UPSTREAM")

# Program, its arguments, and after how many prints both are stopped.
PROGRAMS = {
    "practical6/train.lua": (
        "-batch_size 4 -seq_length 6 -rnn_size 7 -print_every 1 -save_every 20".split(),
        45,
    ),
    # Its evaluations, one in seven steps here, overwrite the states that its training carries over.
    "char-rnn/train.lua": (
        [
            *"-data_dir . -rnn_size 8 -num_layers 2 -seq_length 10 -batch_size 5".split(),
            *"-max_epochs 1 -gpuid -1 -eval_val_every 7".split(),
        ],
        46,
    ),
    "rnn/examples/simple-recurrent-network.lua": ([], 40),
    "rnn/examples/sequence-to-one.lua": ([], 12),
    "rnn/examples/simple-sequencer-network.lua": ([], 40),
    "rnn/examples/simple-recurrence-network.lua": ([], 40),
    "demos/linear-regression/example-linear-regression.lua": ([], 12),
}
# What practical6 and char-rnn read: a text as numbers, and the numbers of its characters.
DATA = """local text = io.open('input.txt'):read('*a')
local seen, order, vocab = {}, {}, {}
for c in text:gmatch('.') do
   if not seen[c] then
      seen[c] = true
      order[#order + 1] = c
   end
end
table.sort(order)
for i, c in ipairs(order) do vocab[c] = i end
local data = torch.ByteTensor(#text)
for i = 1, #text do data[i] = vocab[text:sub(i, i)] end
torch.save('vocabfile.t7', vocab)
torch.save('datafile.t7', data)
"""


def written_text() -> str:
    draw = random.Random(3)
    words = "the sea was calm and ships came home slow by night".split()
    return " ".join(draw.choice(words) for _ in range(700))


@pytest.mark.slow
@pytest.mark.skipif(UPSTREAM is None, reason="TORCH7PY_UPSTREAM names no folder of checkouts")
@pytest.mark.parametrize("name", PROGRAMS)
def test_native_and_equal(name, tmp_path, monkeypatch):
    source = Path(UPSTREAM or "", name)
    if not source.exists():
        pytest.skip(f"there is no {source}")
    shutil.copytree(source.parent, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    arguments, lines = PROGRAMS[name]
    script = tmp_path / source.name
    tmp_path.joinpath("input.txt").write_text(written_text())
    if name.startswith("practical6"):
        with Runtime() as runtime:
            runtime.execute(DATA)
    elif name.startswith("char-rnn"):
        with Runtime() as runtime:  # it reads its text once, and then the files that it made of it
            runtime.run(script, arguments)
    page = translate_script(script.read_bytes(), str(script))
    assert [f"{p.file}:{p.line}: {p}" for p in page.problems] == []
    assert page.native == page.statements
    try:
        comparison = verify_script(page, script, arguments, lines=lines)
    except Unforeseen as unforeseen:  # of files that the program reads
        page = translate_script(script.read_bytes(), str(script), unforeseen.observed)
        assert page.native == page.statements
        comparison = verify_script(page, script, arguments, lines=lines)
    assert comparison.layers > 0
    assert comparison.largest < 1e-9
