"""The translations of ``lua_samples/``: as they should look, well formed, and equal to the originals in what they do.

``snapshots/`` has the page of each sample. To write them anew after a change of the translator:
``python tests/translate/test_scripts.py``, and read the difference.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from torch7py.translate.checked_code import run_page
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import SINGLE, TOLERANCE, verify_script

SAMPLES = Path(__file__).parents[2] / "lua_samples"
SNAPSHOTS = Path(__file__).parent / "snapshots"

# Each sample with arguments that make it short.
SHORT: dict[str, list[str]] = {
    "adam_autoencoder": ["10"],
    "adversarial": ["5"],
    "bank": ["2"],
    "batchnorm_classifier": ["2"],
    "bidirectional": ["3"],
    "char_rnn": ["3"],
    "convnet": ["1"],
    "deep_q": ["3"],
    "fastlstm": ["10"],
    "fooled": ["4"],
    "gpu_if_there": ["-iterations", "20"],
    "gpu_only": [],
    "graph": ["10"],
    "gru_tagger": ["4"],
    "k_means": ["30"],
    "lua_layer": ["20"],
    "markov": ["4"],
    "maze": ["12"],
    "mlp_sgd": ["2"],
    "options": ["-iterations", "8"],
    "rbf": ["10"],
    "recurrent": ["20"],
    "sequencer_recurrent": ["10"],
    "tensors": [],
    "two_branch": ["4"],
    "word_count": [],
}
WITHOUT_LAYERS = {"bank", "k_means", "markov", "maze", "tensors", "word_count"}
IN_SINGLE_PRECISION = {"gpu_if_there", "gpu_only"}
POST = ("recurrent", "sequencer_recurrent", "fastlstm")


def translated(name: str) -> Native:
    return translate_script(SAMPLES.joinpath(f"{name}.lua").read_bytes(), f"{name}.lua")


@pytest.mark.parametrize("name", SHORT)
def test_page(name):
    page = translated(name)
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    assert page.code == SNAPSHOTS.joinpath(f"{name}.py").read_text()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", SHORT)
def test_equal_to_the_original(name):
    """What is printed, and all weights at the end, from the same first weights and random draws."""
    comparison = verify_script(translated(name), SAMPLES / f"{name}.lua", SHORT[name])
    assert comparison.lines > 0
    assert (comparison.layers > 0) == (name not in WITHOUT_LAYERS)
    assert comparison.largest < (SINGLE if name in IN_SINGLE_PRECISION else TOLERANCE)


def test_form(tmp_path):
    """Nothing for a linter or a formatter to say."""
    tmp_path.joinpath("ruff.toml").write_text("line-length = 110\n")
    for name in SHORT:
        tmp_path.joinpath(f"{name}.py").write_text(translated(name).code)
    for command in (["check", "--output-format", "concise", "-q"], ["format", "--diff", "-q"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.stdout, result.returncode) == ("", 0)


@pytest.mark.parametrize("name", SHORT)
def test_plain_pytorch(name):
    """Only PyTorch and the standard library are imported."""
    lines = translated(name).code.splitlines()
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {"torch", *sys.stdlib_module_names}


@pytest.mark.parametrize("name", POST)
def test_no_longer_than(name):
    """The post's programs grow by at most a third."""
    lua = SAMPLES.joinpath(f"{name}.lua").read_text().count("\n")
    assert translated(name).code.count("\n") <= 4 / 3 * lua


@pytest.mark.parametrize("name", sorted(set(SHORT) - {"gpu_only"}))
def test_a_page_run_twice_prints_the_same(name, capsys, monkeypatch):
    """What a program draws follows from the seed that it sets, whatever has been drawn before."""
    page = translated(name)
    if "manual_seed" not in page.code:
        pytest.skip("the program sets no seed")
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *SHORT[name]])
    printed = []
    dtype = torch.get_default_dtype()
    for other_seed in (11, 12):
        torch.manual_seed(other_seed)
        random.seed(other_seed)
        try:
            namespace: dict[str, Any] = {"__name__": "page"}
            run_page(page.code, f"{name}.py", namespace)
            namespace["main"]()
        finally:
            torch.set_default_dtype(dtype)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""


def test_the_same_every_time():
    assert translated("mlp_sgd").code == translated("mlp_sgd").code


if __name__ == "__main__":
    SNAPSHOTS.mkdir(exist_ok=True)
    for sample in SHORT:
        SNAPSHOTS.joinpath(f"{sample}.py").write_text(translated(sample).code)
