"""Runs the test suites of upstream packages, as they are, in our runtime.

::

    python tools/upstream.py PACKAGE=PATH...

PACKAGE is torch7, nn, nngraph, optim, rnn, dpnn, dataload, cutorch, cunn, cudnn, image or another name in SUITES; PATH
is a checkout of it, of which only the test files are used, the code under test is ours. Suites of packages for a GPU
run with ``--cuda-as cpu``. Each test file runs in a process of its own, in an empty folder and under time limits.
Prints a line for each test and a summary; a test that a file runs several times is numbered from the second time on.
Exits with 0 when all tests pass (or all that ``--known`` does not list), with 1 when one does not, with 2 when it is
called wrongly.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

__all__ = ["SUITES", "Outcome", "Suite", "run_suite"]

HERE = Path(__file__).parent
POLL = 0.05  # seconds between two looks at a running suite


@dataclass(frozen=True)
class Suite:
    """A test file: ``start`` is Lua that runs its tests, empty where the file itself does.

    ``options`` are options of ``torch7py run``; ``beside`` are folders of the checkout that an installed package has
    beside the test file; ``environment`` has files of the checkout as values of variables.
    """

    file: str
    packages: tuple[str, ...] = ()
    start: str = ""
    options: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


def _scripts(folder: str, packages: tuple[str, ...], names: str, **more: Any) -> tuple[Suite, ...]:
    return tuple(Suite(f"{folder}/{name}.lua", packages, **more) for name in names.split())


ON_CPU = ("--cuda-as", "cpu")
PHOTOGRAPHS = (("IMAGE_LENA", "assets/grace_hopper_512.jpg"), ("IMAGE_FABIO", "assets/fabio.jpg"))


# Left out: benchmarks, files that only define what others use, suites that need a GPU or data, and fbcunn's test_HSM,
# which passes in ten minutes.
SUITES: dict[str, tuple[Suite, ...]] = {
    "torch7": (
        Suite("test/test.lua", start="torch.test()"),
        *_scripts(
            "test",
            (),
            "test_writeObject test_Tester test_timer test_sharedmem test_qr test_Multinomial test_aliasMultinomial "
            "longSize test_half",
        ),
    ),
    "nn": (Suite("test.lua", ("nn",), "nn.test(nil, 1)"),),
    "nngraph": _scripts(
        "test",
        ("nngraph",),
        "test_JustElement test_JustTable test_ModuleFromCriterion test_connectivity test_debug test_nest "
        "test_nngraph test_old",
    ),
    "optim": _scripts(
        "test",
        ("optim",),
        "test_adadelta test_adagrad test_adam test_adamax test_cg test_cmaes test_confusion test_de test_lbfgs "
        "test_lbfgs_w_ls test_logger test_rmsprop test_sgd",
    ),
    "rnn": (Suite("test/test.lua", ("rnn",), "rnn.test()"),),
    "dpnn": (Suite("test/test.lua", ("dpnn",), "dpnn.test()"),),
    "dataload": (Suite("test.lua", ("dataload",), "require('dataload').test()"),),
    "cutorch": (Suite("test/test.lua", ("cutorch",), "cutorch.test(nil, 1)", ON_CPU),),
    "cunn": (
        Suite("test.lua", ("cunn",), "nn.testcuda(nil, false, 1, 1)", ON_CPU),
        Suite("test_DataParallelTable.lua", ("cunn",), options=ON_CPU),
    ),
    "cudnn": _scripts(
        "test", ("cudnn",), "test test_rnn test_1x1conv test_spatialFullConv bntest", options=ON_CPU
    ),
    "image": (
        Suite("test/test.lua", ("image",), "image.test(nil, 1)", beside=("assets",), environment=PHOTOGRAPHS),
        *_scripts("test", ("image",), "test_rotate test_warp", environment=PHOTOGRAPHS),
    ),
    "tds": _scripts("test", (), "test_atomic"),
    "threads": _scripts(
        "test",
        (),
        "test-atomic test-low-level test-threads test-threads-async test-threads-coroutine test-threads-error "
        "test-threads-multiple test-threads-safe test-threads-shared test-traceback",
    ),
    "torchx": (Suite("test/test.lua", ("torchx",), "torchx.test()"),),
    "graph": _scripts("test", ("graph",), "test_graph test_graphviz test_old"),
    "nnx": (Suite("test/test-all.lua", ("nnx",), "nnx.test()"),),
    "gnuplot": _scripts(".", (), "test"),
    "torchnet": _scripts("test", (), "test"),
    "stn": (Suite("test.lua", ("stn",), "stn.test()"),),
    "fbnn": (
        Suite(
            "fbnn/test.lua",
            ("fbnn", "image"),
            "image.lena = function() return torch.rand(3, 64, 64) end nn.fbnntest()",
        ),
    ),
    "fbcunn": _scripts(
        "test",
        ("nn", "fbtorch", "fbcunn", "relative_error"),
        "test_BatchNormalization test_ClassHierarchicalNLLCriterion test_DataParallel test_FeatureLPPooling "
        "test_GroupKMaxPooling test_KMaxPooling test_LinearNB test_LocallyConnected "
        "test_LookupTableGPU test_ModelParallel test_SequentialCriterion test_SparseNLLCriterion "
        "test_TemporalConvolutionFB test_TemporalKMaxPooling test_WeightedLookupTable",
        options=ON_CPU,
    ),
    "imagine-nn": (Suite("test/test_jacobian.lua", ("inn",), options=ON_CPU),),
    "unsup": (Suite("test/test_whitening.lua", ("unsup",)),),
}


@dataclass
class Outcome:
    """What became of one test: passed, failed (a check did not hold) or error."""

    suite: str
    test: str
    outcome: str
    seconds: float = 0.0
    message: str = ""


@dataclass
class Limits:
    test: float
    suite: float


@dataclass
class _Notes:
    """What the Lua side has noted down so far of one process."""

    path: Path
    suite: str
    outcomes: list[Outcome] = field(default_factory=list)
    running: str | None = None
    since: float = 0.0
    stopped: str = ""
    done: bool = False
    _read: int = 0

    def update(self) -> None:
        """Read on from where the last call ended."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take([_plain(part) for part in line[:-1].decode("latin1").split("\t")])

    def _take(self, fields: list[str]) -> None:
        match fields:
            case ["start", name]:
                self.running, self.since = name, time.monotonic()
            case ["end", name, outcome, seconds, message]:
                self.outcomes.append(Outcome(self.suite, name, outcome, float(seconds), message))
                self.running = None
            case ["stopped", message]:
                self.stopped = message
            case ["done"]:
                self.done = True


def _plain(text: str) -> str:
    parts = text.split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r") for part in parts)


def run_suite(
    root: Path, suite: Suite, limits: Limits, only: tuple[str, ...] = (), options: tuple[str, ...] = ()
) -> Iterator[Outcome]:
    """The outcomes of a suite's tests. A test that ends the process is an error, and the others still run."""
    finished: list[str] = []
    file = (root / suite.file).resolve()
    environment = os.environ | {name: str((root / path).resolve()) for name, path in suite.environment}
    while True:
        with tempfile.TemporaryDirectory(prefix="upstream-") as folder:
            notes = _Notes(Path(folder) / "notes", suite.file)
            notes.path.touch()
            work = Path(folder) / "work"
            work.mkdir()
            place = _laid_out(root, suite, Path(folder) / "installed")
            folders = (file.parent, root.resolve(), root.resolve().parent, HERE / "standins")
            lists = (only, finished, suite.packages, folders)
            command = [
                sys.executable,
                "-m",
                "torch7py",
                "run",
                *options,
                *suite.options,
                str(HERE / "upstream.lua"),
            ]
            command += [
                str(notes.path),
                str(place),
                suite.start,
                *("\n".join(map(str, each)) for each in lists),
            ]
            with (Path(folder) / "output").open("wb+") as output:
                process = subprocess.Popen(
                    command, cwd=work, stdout=output, stderr=subprocess.STDOUT, env=environment
                )
                ended = _watch(process, notes, limits)
                output.seek(0)
                printed = output.read().decode("utf-8", "replace")
        yield from notes.outcomes
        finished += [outcome.test for outcome in notes.outcomes]
        if notes.running is None:
            yield from _of_file(suite, notes, ended, bool(finished), process.returncode, printed)
            return
        yield Outcome(suite.file, notes.running, "error", message=f"{ended}\n{printed[-2000:]}")
        finished.append(notes.running)


def _laid_out(root: Path, suite: Suite, folder: Path) -> Path:
    """Where the test file is run: where it is, or beside the folders that it looks for beside itself."""
    file = (root / suite.file).resolve()
    if not suite.beside:
        return file
    folder.mkdir()
    for path in (file, *((root / each).resolve() for each in suite.beside)):
        (folder / path.name).symlink_to(path)
    return folder / file.name


def _watch(process: subprocess.Popen[bytes], notes: _Notes, limits: Limits) -> str:
    """Wait for the process and say how it ended: "" when by itself and with its notes complete."""
    began = time.monotonic()
    while True:
        code = process.poll()
        notes.update()
        if code is not None:
            return "" if notes.done else f"the process ended with {code}"
        now = time.monotonic()
        if notes.running is not None and now - notes.since > limits.test:
            reason = f"took longer than {limits.test:g} s"
        elif now - began > limits.suite:
            reason = f"the suite took longer than {limits.suite:g} s"
        else:
            time.sleep(POLL)
            continue
        process.kill()
        process.wait()
        notes.update()
        return reason


def _of_file(
    suite: Suite, notes: _Notes, ended: str, any_test: bool, code: int, printed: str
) -> Iterator[Outcome]:
    """The outcome of a file as a whole, where it has no tests or does not come to its end."""
    name = Path(suite.file).stem
    explained = any_test and "An error was found while running tests!" in notes.stopped
    if notes.stopped and not explained:
        yield Outcome(suite.file, name, "error", message=notes.stopped)
    elif ended and not (any_test and ended.startswith("the process ended")):
        if code == 0:
            yield Outcome(suite.file, name, "passed")
        else:
            yield Outcome(suite.file, name, "error", message=f"{ended}\n{printed[-2000:]}")
    elif not any_test:
        yield Outcome(suite.file, name, "passed")


def _commit(root: Path) -> str:
    found = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def _show(outcome: Outcome, width: int = 100) -> None:
    click.echo(f"{outcome.outcome:<7} {outcome.suite}: {outcome.test} ({outcome.seconds:.2f} s)")
    if outcome.outcome != "passed":
        for line in [line for line in outcome.message.splitlines() if line.strip()][:6]:
            click.echo(f"        {line[:width]}")


def _counts(outcomes: list[Outcome]) -> dict[str, int]:
    counts = {
        word: sum(outcome.outcome == word for outcome in outcomes) for word in ("passed", "failed", "error")
    }
    return {"tests": len(outcomes), **counts}


def record(
    found: dict[str, list[Outcome]], commits: dict[str, str], before: dict[str, Any]
) -> dict[str, Any]:
    """What the support page says of upstream's tests: counts, and what does not pass with the reason.

    Reasons are written by hand and kept from ``before``; a new entry gets an empty one.
    """
    recorded = dict(before)
    for package, outcomes in found.items():
        reasons = {
            (row["suite"], row["test"]): row["reason"] for row in before.get(package, {}).get("not", [])
        }
        recorded[package] = {
            "commit": commits[package],
            **_counts(outcomes),
            "not": [
                {
                    "suite": outcome.suite,
                    "test": outcome.test,
                    "outcome": outcome.outcome,
                    "reason": reasons.get((outcome.suite, outcome.test), ""),
                }
                for outcome in outcomes
                if outcome.outcome != "passed"
            ],
        }
        if "notes" in before.get(package, {}):
            recorded[package]["notes"] = before[package]["notes"]
    return dict(sorted(recorded.items()))


def _read(path: Path | None) -> dict[str, Any]:
    if path is None or not path.exists():
        return {}
    data: dict[str, Any] = json.loads(path.read_text())
    return data


def _checkouts(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    found = {}
    for value in values:
        package, equals, path = value.partition("=")
        if not equals or package not in SUITES:
            raise click.BadParameter(f"{value!r} is not PACKAGE=PATH with a package of {', '.join(SUITES)}.")
        if not Path(path).is_dir():
            raise click.BadParameter(f"{path!r} is not a folder.")
        found[package] = Path(path)
    return found


@click.command(help=__doc__.split("\n\n", 2)[2].replace("``", ""))
@click.option(
    "--only", multiple=True, metavar="PATTERN", help="Run only tests whose name matches a Lua pattern."
)
@click.option("--file", "files", multiple=True, metavar="NAME", help="Run only test files of this name.")
@click.option("--rnn-api", type=click.Choice(["2015", "2016"]), help="Generation of the rnn package.")
@click.option("--seed", default=1, show_default=True, help="Seed of torch's random stream.")
@click.option("--limit", default=120.0, show_default=True, metavar="S", help="Seconds for one test.")
@click.option(
    "--suite-limit", default=1800.0, show_default=True, metavar="S", help="Seconds for one test file."
)
@click.option("--quiet", is_flag=True, help="Print only what does not pass.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all outcomes to this file.")
@click.option(
    "--known", type=click.Path(path_type=Path), help="What --record wrote: no failure in it counts."
)
@click.option(
    "--record", "record_path", type=click.Path(path_type=Path), help="Write what the support page says."
)
@click.argument("checkouts", metavar="PACKAGE=PATH...", nargs=-1, required=True, callback=_checkouts)
@click.pass_context
def main(
    ctx: click.Context,
    only: tuple[str, ...],
    files: tuple[str, ...],
    rnn_api: str | None,
    seed: int,
    limit: float,
    suite_limit: float,
    quiet: bool,
    json_path: Path | None,
    known: Path | None,
    record_path: Path | None,
    checkouts: dict[str, Path],
) -> None:
    options = ("--seed", str(seed), *(("--rnn-api", rnn_api) if rnn_api else ()))
    found: dict[str, list[Outcome]] = {}
    times: dict[str, float] = {}
    for package, root in checkouts.items():
        found[package] = []
        began = time.monotonic()
        for suite in SUITES[package]:
            if files and Path(suite.file).name not in files and Path(suite.file).stem not in files:
                continue
            for outcome in run_suite(root, suite, Limits(limit, suite_limit), only, options):
                found[package].append(outcome)
                if outcome.outcome != "passed" or not quiet:
                    _show(outcome)
        times[package] = time.monotonic() - began
    commits = {package: _commit(root) for package, root in checkouts.items()}
    for package, outcomes in found.items():
        counts = _counts(outcomes)
        click.echo(
            f"{package} {commits[package]}: {counts['tests']} tests, {counts['passed']} passed, "
            f"{counts['failed']} failed, {counts['error']} errors, {times[package]:.1f} s"
        )
    if json_path is not None:
        json_path.write_text(json.dumps({k: [vars(o) for o in v] for k, v in found.items()}, indent=1) + "\n")
    if record_path is not None:
        record_path.write_text(json.dumps(record(found, commits, _read(record_path)), indent=1) + "\n")
    expected = {
        (package, row["suite"], row["test"]) for package, part in _read(known).items() for row in part["not"]
    }
    bad = [
        outcome
        for package, outcomes in found.items()
        for outcome in outcomes
        if outcome.outcome != "passed" and (package, outcome.suite, outcome.test) not in expected
    ]
    ctx.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
