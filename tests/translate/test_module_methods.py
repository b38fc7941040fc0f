"""Methods of Torch7's that PyTorch's modules take in plain calls, so that no module of the page becomes an object."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torch7py.translate.native import program
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import TOLERANCE, verify_script

HERE = Path(__file__).parent
PROGRAMS = [
    *(HERE / "module_methods.lua").read_text().split("\n---\n"),
    # Those of objects of which one line alone makes them objects.
    *(
        re.sub(r"^assert\(\w+\.updateOutput\)\n", "", source, flags=re.MULTILINE)
        for source in (HERE / "plain_modules.lua").read_text().split("\n---\n")
        if re.search(r"^assert\(\w+\.updateOutput\)$", source, re.MULTILINE)
    ),
]


@pytest.mark.parametrize("source", PROGRAMS, ids=[source.split("\n")[0][3:] for source in PROGRAMS])
def test_modules_stay_pytorchs(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = program.translate_script(source.encode(), "p.lua")
    assert [str(problem) for problem in page.problems] == []
    assert "lua_compat.Built(" not in page.code
    comparison = verify_script(page, path)
    assert comparison.lines >= 3
    assert comparison.largest < TOLERANCE


@pytest.mark.parametrize(
    "names",
    ["'weight', 'bias'", "'weight', 'gradWeight', 'bias'"],
)
def test_weights_shared_without_their_gradients_are_an_error(names: str, tmp_path: Path) -> None:
    """In PyTorch a weight has one gradient: what shares the one and not the other is no page."""
    path = tmp_path / "p.lua"
    path.write_text(
        f"""require 'nn'
        local function tied(a, b, ...) b:share(a, ...) end
        local a, b = nn.Linear(2, 2), nn.Linear(2, 2)
        tied(a, b, {names})
        b:forward(torch.ones(2))
        b:backward(torch.ones(2), torch.ones(2))
        print(a.gradWeight:sum())
        """
    )
    page = program.translate_script(path.read_bytes(), "p.lua")
    assert not page.problems
    with pytest.raises(Different, match="the translation fails: NotInPage"):
        verify_script(page, path)
