"""``%load_ext torch7py`` in IPython: cells of Lua that share one runtime with Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tests.html.pages import parsed
from torch7py.notebook import magics


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))  # no history in anybody's home
        shell = InteractiveShell.instance()
    shell.run_cell("%load_ext torch7py")
    yield shell
    shell.run_cell("%unload_ext torch7py")
    magics.session().runtime.close()
    InteractiveShell.clear_instance()


class Ran:
    def __init__(self, shell: InteractiveShell, code: str) -> None:
        with capture_output() as captured:
            self.result = shell.run_cell(code, store_history=True)
        self.text: str = captured.stdout
        self.shown: list[dict[str, Any]] = [output.data for output in captured.outputs]
        self.error = self.result.error_in_exec


def test_a_cell_and_a_line_share_a_runtime_with_python(shell: InteractiveShell) -> None:
    assert Ran(shell, "%%lua\nx = torch.range(1, 3)\nx:sum()").text.split() == ["6"]
    assert Ran(shell, "%lua x[2]").text.split() == ["2"]
    ran = Ran(
        shell,
        "%lua_pull x\nx += 1\nimport numpy as np\na = np.arange(4.0)\nf = lambda v: v + 0.5\n%lua_push a f",
    )
    assert ran.error is None
    assert torch.equal(shell.user_ns["x"], torch.tensor([2.0, 3.0, 4.0]).double())
    assert Ran(shell, "%%lua\nprint(x[1], a:size(1), f(1))").text.split() == ["2", "4", "1.5"]
    shell.run_cell("%lua a:fill(7)")
    assert np.array_equal(shell.user_ns["a"], [7, 7, 7, 7])  # the same memory


def test_a_model_of_lua_trains_in_python_and_is_drawn(shell: InteractiveShell) -> None:
    ran = Ran(shell, "%%lua\nrequire 'nn'\nmodel = nn.Sequential():add(nn.Linear(3, 1))\nmodel")
    assert "nn.Sequential {" in ran.text
    assert [title.text for title in parsed(ran.shown[0]["text/html"]).all(class_="title")][
        1
    ] == "1nn.Linear3 → 1"
    drawn = Ran(shell, "%lua_pull model\nmodel")
    assert drawn.result.result is shell.user_ns["model"]
    assert shell.display_formatter is not None
    forms, _ = shell.display_formatter.format(drawn.result.result)
    assert "nn.Linear" in parsed(forms["text/html"]).text
    assert forms["text/plain"].startswith("nn.Sequential")
    assert isinstance(shell.user_ns["model"], torch.nn.Module)


def test_errors_have_the_line_of_the_cell(shell: InteractiveShell) -> None:
    ran = Ran(shell, "%%lua\nlocal a = 1\nerror('no')")
    assert str(ran.error) == f"cell {ran.result.execution_count}:3: no"
    assert "    3 | error('no')" in ran.text
    assert "Traceback" not in ran.text
    assert Ran(shell, "%lua_pull nosuch").error is not None
    assert "there is no variable nosuch in Python" in str(Ran(shell, "%lua_push nosuch").error)
    assert "o: " in str(Ran(shell, "o = object()\n%lua_push o").error)
    assert Ran(shell, "%lua_push").error is not None


def test_pictures(shell: InteractiveShell) -> None:
    (shown,) = Ran(shell, "%%lua\nlocal image = require 'image'\nimage.display(torch.rand(3, 2, 2))").shown
    assert shown["image/png"]


def completions(shell: InteractiveShell, text: str, cursor: int) -> list[str]:
    with provisionalcompleter():
        return [found.text for found in shell.Completer.completions(text, cursor)]


def test_completion(shell: InteractiveShell) -> None:
    assert completions(shell, "%%lua\ny = torch.randp", 21) == ["randperm"]
    assert completions(shell, "%lua torch.randp", 16) == ["randperm"]
    assert completions(shell, "import tor", 10) != []
    assert "torch" not in completions(shell, "x = 'tor", 8)


def test_a_new_runtime(shell: InteractiveShell) -> None:
    shell.run_cell("%lua left = 1")
    shell.run_cell("%lua_reset")
    assert Ran(shell, "%lua left == nil").text.split() == ["true"]
