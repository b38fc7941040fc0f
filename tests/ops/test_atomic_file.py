"""Files that are there whole or not at all: what is left when the process that writes one is killed."""

from __future__ import annotations

import os
import signal
import warnings
from pathlib import Path
from typing import Any

import pytest

from torch7py.ops import atomic_file
from torch7py.ops.atomic_file import NewFile, replacing


def killed(target: Path, way: str, at: str, nameless: bool = True) -> None:
    """Have a process write a file that is killed when it comes to a call of ``os``, or half way."""

    def die(*args: Any, **kwargs: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def write() -> None:
        if not nameless:
            atomic_file._open_nameless = lambda target: None
        if at != "write":
            setattr(os, at, die)
        if way == "NewFile":
            file = NewFile(target)
            file._put(b"half")
            file.synchronize()
            if at == "write":
                die()
            file.close()
        else:
            with replacing(target) as temporary:
                Path(temporary).write_bytes(b"half")
                if at == "write":
                    die()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the child does not have
        child = os.fork()
    if child == 0:
        try:
            write()
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def save(target: Path, content: bytes) -> None:
    file = NewFile(target)
    file._put(content)
    file.close()


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files have names here all the time")
@pytest.mark.parametrize("at", ["write", "fsync", "link"])
def test_a_killed_process_leaves_nothing(tmp_path: Path, at: str) -> None:
    target = tmp_path / "model.t7"
    save(target, b"old")
    killed(target, "NewFile", at)
    assert os.listdir(tmp_path) == ["model.t7"]
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("way", "at", "nameless"),
    [("NewFile", "replace", True), ("NewFile", "write", False), ("NewFile", "replace", False),
     ("replacing", "write", True), ("replacing", "replace", True)],
)  # fmt: skip
def test_what_has_a_name_is_taken_over_by_the_next(tmp_path: Path, way: str, at: str, nameless: bool) -> None:
    target = tmp_path / "model.t7"
    for _ in range(3):
        killed(target, way, at, nameless)
        assert len(os.listdir(tmp_path)) == 1
        assert not target.exists()
    save(target, b"new")
    with replacing(target) as temporary:
        Path(temporary).write_bytes(b"newer")
    assert os.listdir(tmp_path) == ["model.t7"]
    assert target.read_bytes() == b"newer"


@pytest.mark.parametrize("nameless", [True, False])
def test_writers_at_once_do_not_meet(tmp_path: Path, nameless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not nameless:
        monkeypatch.setattr(atomic_file, "_open_nameless", lambda target: None)
    target = tmp_path / "model.t7"
    files = [NewFile(target) for _ in range(5)]
    for number, file in enumerate(files):
        file._put(b"%d" % number * 10)
    files.pop(2).discard()
    for file in files:
        file.close()
        assert len(set(target.read_bytes())) == 1
        assert target.stat().st_size == 10
    assert os.listdir(tmp_path) == ["model.t7"]


def test_permissions_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "model.t7"
    save(target, b"old")
    target.chmod(0o640)
    save(target, b"new")
    assert target.stat().st_mode & 0o777 == 0o640


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "weights.npz"
    target.write_bytes(b"old")
    used: list[str] = []

    def fail() -> None:
        with replacing(target) as temporary:
            used.append(temporary)
            Path(temporary).write_bytes(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert os.listdir(tmp_path) == ["weights.npz"]
    assert target.read_bytes() == b"old"
    assert used[0].endswith(".npz")


@pytest.mark.parametrize("way", ["NewFile", "replacing"])
def test_what_is_no_regular_file_stays(tmp_path: Path, way: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    if way == "NewFile":
        save(pipe, b"content")
    else:
        with replacing(pipe) as temporary:
            Path(temporary).write_bytes(b"content")
    assert os.read(reading, 100) == b"content"
    os.close(reading)
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]
