"""Methods of Torch7's that PyTorch's modules take in plain calls, so that no module of the page becomes an object."""

from __future__ import annotations

import random
import re
from functools import partial
from pathlib import Path

import pytest

from tests.translate.running import assert_same, same_or_error
from torch7py.translate.native import program
from torch7py.translate.native.analysis.program_facts import PlainForms
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
FOLDER = HERE / "programs"
WITH_MODULES = [path for path in sorted(FOLDER.glob("*.lua")) if b"nn." in path.read_bytes()]

LEAVES = [
    "Linear(2, 2)",
    "Tanh()",
    "ReLU()",
    "Identity()",
    "MulConstant(2)",
    "View(2)",
    "Reshape(2)",
    "Dropout(0.5)",
]
LEAVES += [
    "AddConstant(1)",
    "SelectTable(1)",
    "CAddTable()",
    "SpatialConvolution(1, 2, 3, 3)",
    "JoinTable(1)",
]
CONTAINERS = ["Sequential", "ConcatTable", "ParallelTable"]


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


def tree(rng: random.Random, depth: int) -> str:
    """A random tree of modules, as a Lua expression; ``shared`` is one that may stand in several places of it."""
    if depth == 0 or rng.random() < 0.3:
        return "shared" if rng.random() < 0.15 else f"nn.{rng.choice(LEAVES)}"
    parts = "".join(f":add({tree(rng, depth - 1)})" for _ in range(rng.randint(1, 3)))
    return f"nn.{rng.choice(CONTAINERS)}(){parts}"


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 60))]
)
def test_all_modules_are_met_in_torch7s_order(seed: int) -> None:
    rng = random.Random(seed)
    page = assert_same(
        f"""require 'nn'
        local shared = nn.Linear(2, 2)
        local net = nn.Sequential():add({tree(rng, 3)}):add({tree(rng, 2)})
        local seen = {{}}
        net:apply(function(m) seen[m] = (seen[m] or 0) + 1 print('apply', torch.type(m), seen[m]) end)
        for i, m in ipairs(net:listModules()) do print('list', i, torch.typename(m), m.weight and m.weight:size(1)) end
        net:applyToModules(function(m) print('in it', torch.type(m)) end)
        local package = 'nn'
        for _, name in ipairs {{'Linear', 'Tanh', 'View', 'Sequential', 'ConcatTable', 'Nothing'}} do
           local found, homes = net:findModules(package .. '.' .. name)
           print(name, #found, #homes)
           for i, m in ipairs(homes) do print(torch.type(m), torch.type(found[i])) end
        end
        """
    )
    assert page is not None
    assert "lua_compat.Built(" not in page.code


@pytest.mark.parametrize("forms", [PlainForms(apart=True), PlainForms(apart=True, passes=True, vectors=True)])
@pytest.mark.parametrize(("step", "least"), [(24, 2), pytest.param(1, 90, marks=pytest.mark.slow)])
def test_programs_with_a_module_for_each_of_torch7s_never_learn_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, least: int, forms: PlainForms
) -> None:
    """As if something were asked of all modules: an error is allowed, another number never."""
    monkeypatch.chdir(tmp_path)  # where some write files
    written = partial(program.in_one_form, plainly=forms)
    assert same_or_error(WITH_MODULES[::step], written, tmp_path) >= least
