"""Packages that programs require and that torch7py does not have, each with a description and advice."""

from __future__ import annotations

__all__ = ["ELSEWHERE", "advice"]

LUA = "It is written in Lua: put its folder beside the program or on LUA_PATH, and it runs here."
NO_SCREEN = "There are no windows here: save pictures with image.save, or plots with gnuplot, instead."
EXPORT = "Export the data once, to .t7, HDF5 or CSV, and read that instead."

# Name -> description, advice.
ELSEWHERE: dict[str, tuple[str, str]] = {
    "DataProvider": ("data providers of the project that requires them", LUA),
    "alewrap": (
        "Atari games, over the emulator Xitari in C++",
        "Play the games by ale-py in a Python program that runs the Lua one by torch7py.Runtime.",
    ),
    "ansicolors": ("colours of a terminal", LUA),
    "argparse": ("options of the command line", LUA),
    "async": ("an event loop and sockets, over libuv in C", "Run what talks to the network in Python."),
    "audio": ("audio files and spectrograms, over sox and FFTW in C", EXPORT),
    "autograd": ("derivatives of Lua functions (torch-autograd)", LUA),
    "camera": ("pictures of a camera, over OpenCV in C", EXPORT),
    "cltorch": ("tensors on OpenCL", "Run the program without it, or with --device cuda."),
    "clnn": ("layers on OpenCL", "Run the program without it, or with --device cuda."),
    "distlearn": ("training on several machines, over the package ipc in C", "Run one process."),
    "dp": ("data sets and experiments", LUA + " It requires moses, torchx, lfs and xlua, which are here."),
    "ffmpeg": ("frames of videos", EXPORT),
    "hypero": ("searches for hyperparameters", "It writes to PostgreSQL: leave it out, or log to a file."),
    "inspect": ("tables as text", LUA),
    "ipc": ("processes that talk to each other, in C", "Run one process."),
    "leveldb": ("the database LevelDB, in C++", EXPORT),
    "lmdb": ("the database LMDB, in C", EXPORT),
    "lpeg": ("parsing expression grammars, in C", "Parse with rex_pcre or Lua's own patterns."),
    "luasql": ("SQL databases, in C", EXPORT),
    "mpiT": ("MPI, in C", "Run one process."),
    "nnlr": ("learning rates for single layers", LUA),
    "nnquery": ("searches in networks", LUA),
    "parallel": (
        "processes that talk to each other, over ZeroMQ in C",
        "Use the package threads, or run one process.",
    ),
    "qt": ("windows", NO_SCREEN),
    "qtwidget": ("windows", NO_SCREEN),
    "qttorch": ("windows", NO_SCREEN),
    "redis": ("the database Redis", EXPORT),
    "rlenvs": ("environments for reinforcement learning", LUA),
    "signal": (
        "Fourier transforms and filters, over FFTW in C",
        "Compute them by numpy and hand over tensors.",
    ),
    "socket.http": ("the network (LuaSocket), in C", "Fetch the files before the run."),
    "svm": (
        "support vector machines, over LIBLINEAR in C",
        "Train them by scikit-learn, on tensors as arrays.",
    ),
    "torchnet": ("data sets, meters and training loops", LUA),
    "totem": ("unit tests", LUA),
    "twrl": (
        "reinforcement learning, over a server of OpenAI Gym",
        LUA + " It needs LuaSocket, which is not here.",
    ),
    "video": ("frames of videos, over FFmpeg in C", EXPORT),
    "warp_ctc": ("CTC losses, in C++ and CUDA", "nn.CTCCriterion of nnx computes them here."),
    "xitari": ("an emulator of Atari games, in C++", "See alewrap."),
    "zmq": ("ZeroMQ, in C", "Run what talks to other processes in Python."),
}


def advice(name: str) -> str | None:
    """Advice on a package that torch7py does not have, or None for an unknown one."""
    entry = ELSEWHERE.get(name) or ELSEWHERE.get(name.partition(".")[0])
    return None if entry is None else f"{entry[0]}. {entry[1]}"
