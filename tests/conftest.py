"""What every test may ask for."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import torch

import tests.together
from tests.draws import same_draws
from tests.together import CASES_IN_FULL, EVERY, THIRD
from torch7py.cli.process import wait_passively

if TYPE_CHECKING:
    from tests.inner_runtime import InnerRuntime as Runtime


SAMPLE = "sample"


def pytest_configure(config: pytest.Config) -> None:
    # The workers of a parallel run share the cores, and one thread gives one order of summation.
    torch.set_num_threads(1)
    wait_passively()  # in the processes that tests start
    os.environ.pop("PYTHONUNBUFFERED", None)  # as on a user's machine
    if not torch.cuda.is_available():  # torch.manual_seed notes who called, for each kind of device: 5 ms
        torch.manual_seed = torch.default_generator.manual_seed
    gc.disable()  # until all tests are collected, of which nothing goes
    if config.getoption("plain_lua"):
        os.environ["TORCH7PY_LUA"] = "lua51"
        tests.together.on_plain_lua = config.getoption("plain_lua") == SAMPLE
    # On a busy machine the time of one example says nothing.
    hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, max_examples=40)
    hypothesis.settings.load_profile("suite")
    if os.environ.get("TORCH7PY_EAGER"):
        _make_eager()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--plain-lua",
        choices=(SAMPLE, "all"),
        help="run on plain Lua 5.1 what runs Lua: all of it or a sample (make test-lua51)",
    )


MANY_CASES = 8  # of which every third runs each time, and all with the slow ones
# On plain Lua one test in so many. Layers and packages are Python that Lua calls, in always the same way.
EVERY_TEST_OF = {"tests/bridge/": 2, "tests/nn/": 6, "tests/rnn/": 6, "tests/packages/": 6}
RUNS_LUA = {"Console", "InnerRuntime", "Runtime", "torch7py_run"}


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    cases_of: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases_of.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in cases_of.values():
        sampled = cases[0].get_closest_marker("sampled")
        is_whole = len(cases) < MANY_CASES or cases[0].get_closest_marker("whole") is not None
        every = sampled.args[0] if sampled else 1 if is_whole else THIRD
        for number, case in enumerate(cases if every > 1 else ()):
            if number % every:
                case.add_marker(pytest.mark.slow)
    extent = config.getoption("plain_lua")
    if extent is None:
        return
    chosen: set[pytest.Item] = set()
    counts = {folder: itertools.count() for folder in EVERY_TEST_OF}
    for name, cases in cases_of.items():
        first = cases[0]
        runs_lua = "runtime" in getattr(first, "fixturenames", ()) or not RUNS_LUA.isdisjoint(
            vars(getattr(first, "module", None) or object)
        )
        folder = next((folder for folder in EVERY_TEST_OF if name.startswith(folder)), None)
        if extent == SAMPLE and folder is not None and next(counts[folder]) % EVERY_TEST_OF[folder]:
            continue
        if runs_lua and first.get_closest_marker("one_lua") is None:
            few = first.get_closest_marker("few_on_plain_lua")
            every = few.args[0] if few else 1 if len(cases) <= CASES_IN_FULL or extent == "all" else EVERY
            chosen.update(cases[::every])
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


# Compiles a loop at its second round and a way out of it at its first use, and collects garbage all the time: what
# a program of a few lines else meets after thousands of rounds.
EAGER = """
if jit and jit.opt then jit.opt.start('hotloop=2', 'hotexit=1') end
collectgarbage('setpause', 0)
collectgarbage('setstepmul', 400)
"""


def _make_eager() -> None:
    from torch7py.bridge import engine

    plain = engine.new_lua

    def new_lua(name: str) -> Any:
        lua = plain(name)
        lua.execute(EAGER)
        return lua

    engine.new_lua = new_lua


def pytest_collection_finish() -> None:
    gc.enable()


# The garbage of closed runtimes is collected now and then, and what is alive is put aside: to search all tests and what
# they import takes 0.4 s.
TESTS_UNTIL_FREEZE = 10
_tests = itertools.count()


def pytest_runtest_setup() -> None:
    if next(_tests) % TESTS_UNTIL_FREEZE == 0:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept for a user between processes is none of the tests' business, nor theirs of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def _same_draws() -> None:
    same_draws()


@pytest.fixture(scope="module")
def _runtime_of_module() -> Iterator[Runtime]:
    from tests.inner_runtime import InnerRuntime

    with InnerRuntime() as shared:
        yield shared


@pytest.fixture
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """A fresh runtime, closed after the test, whose ``execute`` gives lists and dicts (see inner_runtime.py).

    To start and close one takes 25 ms. Tests marked ``one_runtime``, which make all that they use, share one.
    """
    from tests.inner_runtime import InnerRuntime

    if request.node.get_closest_marker("one_runtime"):
        yield request.getfixturevalue("_runtime_of_module")
        return
    fresh = InnerRuntime()
    yield fresh
    fresh.close(collect=False)  # `pytest_runtest_setup` collects what many of them leave


@pytest.fixture(scope="session")
def lua_name() -> str:
    """The Lua that the tests run on: the one that ``TORCH7PY_LUA`` names, or the best that is installed."""
    from torch7py.bridge.engine import engine_name

    return engine_name()
