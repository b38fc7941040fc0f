"""``programs/``: Lua of many kinds, wholly translated, and equal to the original in what it prints and learns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import SINGLE, TOLERANCE, Unforeseen, verify_script

# those that compute in single precision, as image.scale does with every image
SINGLE_ONES = {"single_precision", "pictures", "pictures_of_other_sizes"}
PROGRAMS = sorted(Path(__file__).parent.joinpath("programs").glob("*.lua"))
# How many statements are plain calls, in programs that are not wholly idiomatic. These numbers may only fall.
PLAIN_CALLS = {
    "disk_files": 9,
    "frozen_layer_that_decays": 2,
    "functions": 2,
    "graph_of_named_parts": 4,
    "json_of_any_table": 2,
    "kinds_asked_for": 1,
    "layers_by_name": 1,
    "layers_left_out_of_steps": 16,
    "loops_over_all_modules": 16,
    "names_of_types": 3,
    "passes_elsewhere": 16,
    "picture_by_lbfgs": 1,
    "pictures_in_files": 8,
    "run_in_another_method": 4,
    "several_kinds": 2,
    "state_read_from_a_file": 1,
    "states_alone_and_in_batches": 1,
    "steps_there_and_back": 4,
    "stochastic_gradient": 11,
    "storages_of_sizes": 2,
    "tied_weights_by_set": 14,
    "turned_images": 1,
    "watches": 2,
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_equal(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where they write files
    page = translate_script(path.read_bytes(), path.name)
    assert [str(problem) for problem in page.problems] == []
    try:
        comparison = verify_script(page, path)
    except Unforeseen as unforeseen:  # of files that the program reads
        page = translate_script(path.read_bytes(), path.name, unforeseen.observed)
        comparison = verify_script(page, path)
    assert comparison.lines > 0
    assert comparison.largest < (SINGLE if path.stem in SINGLE_ONES else TOLERANCE)


def test_no_fewer_statements_are_idiomatic() -> None:
    plain = {path.stem: translate_script(path.read_bytes(), path.name).plain_calls for path in PROGRAMS}
    more = {name: count for name, count in plain.items() if count > PLAIN_CALLS.get(name, 0)}
    assert more == {}


@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_runs_alone(path: Path, tmp_path: Path) -> None:
    """As a process of its own, without what stands in for constructors and random numbers in a comparison."""
    translation = translate_script(path.read_bytes(), path.name)
    page = tmp_path / f"{path.stem}.py"
    for name, code in {page.name: translation.code, **translation.modules}.items():
        tmp_path.joinpath(name).write_text(code)
    result = subprocess.run([sys.executable, page], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout


@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_form(tmp_path: Path, step: int) -> None:
    """Nothing for a linter or a formatter to say."""
    # a method of the program's that is called assert is no method of unittest's
    tmp_path.joinpath("ruff.toml").write_text('line-length = 110\nlint.ignore = ["UP005"]\n')
    tmp_path.joinpath("lua_compat.py").write_text("")  # the file beside a page with plain calls
    for path in PROGRAMS[::step]:
        code = translate_script(path.read_bytes(), path.name).code
        tmp_path.joinpath(f"{path.stem}.py").write_text(code)
    for command in (["check", "--output-format", "concise", "-q"], ["format", "--diff", "-q"]):
        command = [sys.executable, "-m", "ruff", *command, "."]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (result.stdout, result.returncode) == ("", 0)
