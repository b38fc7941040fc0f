"""Damages ``.t7`` files at random, and says what a reader must not do with them.

``python -m tests.t7.fuzz COUNT [SEED]`` tries as many in a row and names the first that fails.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch7py
from tests.t7.golden_files import files, t7_names
from torch7py.t7.outline import outline
from torch7py.t7.outline_text import as_data, as_lines

LARGEST = 30_000  # bytes of a file to begin with
HEADROOM = 64 << 20

NUMBERS = (-(2**31), -1, 0, 1, 2, 3, 4, 5, 8, 255, 10**9, 2**31 - 1)
WORDS = (b"nan", b"-1", b"1e999", b"x", b"0x1p3", b"99999999999999999999", b"1_0", b"")
LONGS = (-(2**63), -1, 0, 1, 2, 7, 10**9, 2**31, 2**32, 2**62, 2**63 - 1)


def corpus() -> dict[str, bytes]:
    """The files to begin with: the original's small ones, of every kind."""
    return {name: files()[name] for name in t7_names() if len(files()[name]) <= LARGEST}


def _binary_change(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data))
    kind = random.randrange(5)
    if kind == 0:
        data[at] ^= 1 << random.randrange(8)
    elif kind == 1:
        data[at] = random.randrange(256)
    elif kind == 2:
        at -= at % 4 if random.random() < 0.5 else 0
        data[at : at + 4] = random.choice(NUMBERS).to_bytes(4, "little", signed=True)
    elif kind == 3:
        data[at : at + 8] = random.choice(LONGS).to_bytes(8, "little", signed=True)
    else:
        other = random.randrange(len(data))
        length = random.choice((4, 8, 12, 16))
        data[at : at + length] = data[other : other + length]


def _text_change(data: bytearray, random: Random) -> None:
    words = bytes(data).split(b"\n")
    at = random.randrange(len(words))
    kind = random.randrange(4)
    if kind == 0:
        words[at] = b"%d" % random.choice(LONGS)
    elif kind == 1:
        words[at] = random.choice(words)
    elif kind == 2:
        parts = words[at].split(b" ")
        parts[random.randrange(len(parts))] = random.choice(
            (b"nan", b"-1", b"1e999", b"x", b"0x1p3", b"99999999999999999999")
        )
        words[at] = b" ".join(parts)
    else:
        del words[at]
    data[:] = b"\n".join(words)


def damage(data: bytes, random: Random) -> bytes:
    """One file with one to four changes."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        if not changed:
            break
        kind = random.randrange(10)
        at = random.randrange(len(changed))
        if kind == 0:
            del changed[at:]
        elif kind == 1:
            del changed[at : at + random.choice((1, 4, 8, 40))]
        elif kind == 2:
            changed[at:at] = changed[random.randrange(len(changed)) :][: random.choice((1, 4, 8, 40, 400))]
        elif data[:1].isdigit() and random.random() < 0.8:
            _text_change(changed, random)
        else:
            _binary_change(changed, random)
    return bytes(changed)


@contextlib.contextmanager
def limited_memory(extra: int) -> Iterator[None]:
    """Let this process have so many bytes more than it has now, where the system can say how many these are."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _check(error: torch7py.T7Error, path: Path) -> None:
    if error.offset is None or f"; offset {error.offset}: " not in str(error).removeprefix(
        f"{path}: the file "
    ):
        raise AssertionError(f"an error that does not say where: {error}")


def read(path: Path) -> bool:
    """Read a file in every way: whole, saved again, and its outline. Returns whether it is a good one.

    Anything but a T7Error with the name of the file comes through.
    """
    good = False
    try:
        content = torch7py.load(path)
        good = True
        torch7py.save(content, path.with_suffix(".again"))
    except torch7py.T7Error as error:
        if not good:
            _check(error, path)
    try:
        found = outline(path)
    except torch7py.T7Error as error:
        _check(error, path)
    else:
        sum(1 for _ in as_lines(found))
        as_data(found)
    return good


def attempts(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Damaged files, each with the name of the good one."""
    good = corpus()
    names = sorted(good)
    for number in range(seed, seed + count):
        random = Random(number)
        name = random.choice(names)
        yield f"{name}, number {number}", damage(good[name], random)


def run(count: int, seed: int, folder: Path) -> int:
    """Try so many; returns how many could still be read."""
    path = folder / "damaged.t7"
    readable = 0
    torch7py.load(_written(path, files()["nn_gmodule.binary.t7"]))  # what is loaded with the first file
    for name, data in attempts(count, seed):
        _written(path, data)
        try:
            with limited_memory(len(data) + HEADROOM):
                readable += read(path)
        except Exception as error:
            raise AssertionError(f"the file {name} was no T7Error") from error
    return readable


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    total = int(sys.argv[1])
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as made:
        print(f"{run(total, first, Path(made))} of {total} could be read")
