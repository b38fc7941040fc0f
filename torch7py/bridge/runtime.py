"""A running Torch7: a Lua state, the objects that it holds, and its settings."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import torch

from torch7py.bridge import engine, generation, lua_config, output, package_functions, source, step_programs
from torch7py.bridge.calls import read_answer, read_values
from torch7py.bridge.dispatch import Dispatcher, encode_results
from torch7py.bridge.errors import RuntimeClosed
from torch7py.bridge.handles import Handles
from torch7py.bridge.host_functions import SHARED_WORDS, host_functions
from torch7py.bridge.interrupts import Interrupts, Target
from torch7py.bridge.lua_values import Globals, LuaFunction, LuaTable, LuaValue, PythonFunction, from_lua
from torch7py.bridge.module_proxies import ModuleProxies
from torch7py.bridge.serial import serial_functions
from torch7py.bridge.small_steps import small_step_functions
from torch7py.bridge.step_programs import step_program_functions, torch_library
from torch7py.bridge.thread_states import AnyState, state_functions, stop_states
from torch7py.bridge.value_conversion import encode, to_latin1
from torch7py.nn.shared_models import SharedModels
from torch7py.ops import memory, one_writer, state, types
from torch7py.ops.dispatch.file_names import from_file_name, to_file_name
from torch7py.ops.errors import TorchError
from torch7py.ops.process_group import ProcessGroup
from torch7py.packages.missing_packages import advice
from torch7py.packages.registry import came_with_torch, chunk_name, packages

__all__ = ["Runtime"]

PUBLIC = "call close closed execute globals require run".split()  # what dir() shows
DROPPED_AT_ONCE = 200
COLLECT_AFTER = 256 << 20  # bytes of new tensors after which Lua's collector is asked to look for dead ones

# Held by a program that reads the registers, or loads what puts something into them.
_registering = threading.RLock()
_compiled: dict[tuple[str, str], str] = {}  # bytecode by engine and file or expression


R = TypeVar("R", bound="Runtime")


class Runtime:
    """Runs Torch7 programs.

    ::

        runtime = Runtime()
        runtime.run("train.lua", ["-epochs", "3"])
        model = runtime.globals["model"]       # a torch.nn.Module

    Args:
        dtype: ``"float64"`` (Torch7's default) or ``"float32"``: the default tensor type.
        seed: seed of torch's random stream; None for one from the system's entropy.
        threads: threads of PyTorch's CPU operations; None to leave them.
        device: where tensors are placed, ``"cpu"`` or ``"cuda[:n]"``.
        cuda_as: ``"cpu"`` lets programs that ask for a GPU (cutorch, cunn, cudnn) compute on the CPU; not together
            with a GPU as ``device``.
        pairs: ``"sorted"`` for one order of string keys in every run, ``"native"`` for Lua's own.
        rnn_api: the generation of rnn and nn, 2015 or 2016; None to judge by the program (see ``generation.py``).
        cutorch_api: the generation of cutorch, 2015 or 2016; None to judge by the program likewise.
        rewrite: for tools that watch a program: given Lua source (its bytes as latin-1) and the name of its chunk, it
            gives the source that is compiled instead.
        rewrite_packages: the same for the Lua files of packages of ours, by their source alone.
        group: the processes that run the program together, this one among them (see ``ops/process_group.py``).
        data_parallel: whether they share the batches of every model (see ``nn/shared_models.py``).
        pools: ``"threads"`` lets the jobs of the package threads run beside the program, ``"in turn"`` one after the
            other in its own thread, ``"processes"`` in processes, which share tensors but no mutexes and counters.
            Results come in the same order.
    """

    def __init__(
        self,
        dtype: str = "float64",
        seed: int | None = None,
        threads: int | None = None,
        device: str = "cpu",
        pairs: str = "sorted",
        rnn_api: int | None = None,
        cutorch_api: int | None = None,
        cuda_as: str | None = None,
        rewrite: Callable[[str, str], str] | None = None,
        rewrite_packages: Callable[[str], str] | None = None,
        group: ProcessGroup | None = None,
        data_parallel: bool = False,
        pools: str = "threads",
    ) -> None:
        torch_device = torch.device(device)
        if cuda_as not in (None, "cpu") or (cuda_as and torch_device.type != "cpu"):
            raise TorchError(f"cuda_as must be 'cpu', with device 'cpu', not {cuda_as!r} with {device!r}")
        if torch_device.type == "cuda" and not torch.cuda.is_available():
            raise TorchError(f"device {device}: PyTorch finds no CUDA GPU on this machine")
        if threads is not None:
            torch.set_num_threads(threads)
        default = {"float64": types.DOUBLE, "float32": types.FLOAT}.get(dtype)
        if default is None:
            raise TorchError(f"dtype must be float64 or float32, not {dtype}")
        if rnn_api not in (None, generation.OLDER, generation.LATER):
            raise TorchError(f"rnn_api must be 2015 or 2016, not {rnn_api}")
        if cutorch_api not in (None, generation.OLDER, generation.LATER):
            raise TorchError(f"cutorch_api must be 2015 or 2016, not {cutorch_api}")
        if pools not in ("threads", "processes", "in turn"):
            raise TorchError(f"pools must be 'threads', 'processes' or 'in turn', not {pools!r}")
        gpu = torch_device if cuda_as is not None or torch_device.type == "cuda" else None
        self.state = state.State(
            default_type=default,
            device=torch_device,
            gpu=gpu,
            generation=rnn_api,
            cutorch_generation=cutorch_api,
            group=group,
        )
        self.on_exit: list[Callable[[], None]] = []  # called where the program ends the process
        self.shared_models = (
            SharedModels(group, _tell if group.acts else _not_at_all)
            if group is not None and data_parallel
            else None
        )
        self._script: str | None = None
        self._script_source = b""
        self._rewrite, self._rewrite_packages = rewrite, rewrite_packages
        self._seed = seed
        self._settings = {
            "dtype": "float64",
            "device": device,
            "pairs": pairs,
            "cuda_as": cuda_as,
            "rewrite": rewrite,
            "group": group,
            "data_parallel": data_parallel,
            "pools": pools,
        }
        self.pools = pools
        # Of the shared objects in what was saved last for another process.
        self.shared_numbers: list[int] = []
        self.is_thread = False  # whether this is a state of the package threads
        self.thread_states: dict[int, AnyState | None] = {}
        if seed is not None:
            self.state.generator.manual_seed(seed)
        self.closed = False
        self._unwinding = False  # something that ends more than a program is on its way through Lua
        self.streams = output.Streams()
        self.handles = Handles()
        self.handles.limit = COLLECT_AFTER
        self.dispatcher = Dispatcher(self.handles, torch_device)
        self.shared = (ctypes.c_int64 * SHARED_WORDS)()
        self.adapters: list[Callable[..., Any]] = []  # lupa does not keep what Lua alone holds
        self.dropped: list[int] = []  # numbers of Lua functions that Python has let go
        self.last_exception: tuple[BaseException, str] | None = None  # that Lua has met, and what it says
        self.values: weakref.WeakValueDictionary[int, LuaValue] = weakref.WeakValueDictionary()
        self._functions: weakref.WeakValueDictionary[int, PythonFunction] = weakref.WeakValueDictionary()
        self.engine = engine.engine_name()
        weak = weakref.ref(self)
        self.target = Target(self.engine, lambda: getattr(weak(), "_entries", 0))
        weakref.finalize(self, Interrupts.remove, self.target).atexit = False
        self._lua = engine.new_lua(self.engine)
        self._load, self._keep_globals = self._lua.execute(engine.chunk_source("environment.lua"))
        self._dump = self._lua.execute("return string.dump")
        self._proxies = ModuleProxies(self)
        self.callbacks: dict[str, Any] = {}
        self._entries = 0
        self._loaded: set[str] = set()  # packages that Lua has
        with self._entered(), _registering:
            self._boot(pairs)
            self.globals = self._globals()

    def __repr__(self) -> str:
        lua = engine.TITLES[self.engine]
        program = f", {self._script}" if self._script is not None else ""
        closed = ", closed" if self.closed else ""
        return f"<Runtime on {lua}, {self.state.default_type.tensor}, {self.state.device}{program}{closed}>"

    def __dir__(self) -> list[str]:
        return sorted({*PUBLIC, *(name for name in object.__dir__(self) if name.startswith("__"))})

    # -- life ---------------------------------------------------------------------------------------------

    def __enter__(self: R) -> R:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self, collect: bool = True) -> None:
        """Release everything that Lua holds. Modules that Python holds live on without their Lua parts.

        ``collect`` also runs Python's garbage collector, for the runtime's own reference cycles. Lua's memory and the
        tensors that Lua held are freed without it.
        """
        if not self.closed:
            self._finish_packages()
            self.closed = True
            Interrupts.remove(self.target)
            stop_states(self.thread_states)
            self.state.libm = self.state.prints = None
            self.callbacks.clear()
            self.adapters.clear()
            self.handles.clear()
            self._lua = self._load = self._dump = self._keep_globals = self.streams.redirect = None
            if collect:
                gc.collect()

    def another(self, number: int) -> Runtime:
        """Create a runtime with the same settings, for a thread of the program with this number."""
        seed = None if self._seed is None else (self._seed + 1_000_003 * number) % (1 << 32)
        runtime = Runtime(
            seed=seed,
            rnn_api=self.state.generation,
            cutorch_api=self.state.cutorch_generation,
            **self._settings,  # type: ignore[arg-type]
        )
        runtime._script = self._script
        runtime.is_thread = True
        return runtime

    def _entered(self) -> _Entered:
        """The conditions under which Lua runs: this runtime's State, no autograd, no cached addresses."""
        if self.closed:
            raise RuntimeClosed("the runtime is closed")
        return _Entered(self)

    def _enter(self) -> None:
        """The outermost call enters Lua."""
        self.state.run += 1
        if self.callbacks:
            self.streams.into_lua()
            if self.dropped:
                self.drop()

    def _leave(self) -> None:
        """The outermost call has returned from Lua."""
        if self.callbacks:
            self.streams.into_python()
            if self._unwinding:
                self._unwinding = False
                self._proxies.abandon()
                self.callbacks["abandon"]()

    def drop(self) -> None:
        """Let Lua release the values that Python no longer refers to."""
        while self.dropped:
            numbers = self.dropped[:DROPPED_AT_ONCE]
            del self.dropped[:DROPPED_AT_ONCE]
            self.callbacks["drop"](*numbers)

    @contextlib.contextmanager
    def cuda_scope(self, on: bool) -> Iterator[None]:
        """While new tensors are of CUDA types and use their random stream, or while they are not."""
        handles, state = self.handles, self.state
        if handles.within_cuda == on:
            yield
            return
        assert state.cuda_generator is not None
        state.generator, state.cuda_generator = state.cuda_generator, state.generator
        handles.within_cuda = on
        try:
            yield
        finally:
            state.generator, state.cuda_generator = state.cuda_generator, state.generator
            handles.within_cuda = not on

    def advance(self) -> None:
        """Invalidate Lua's cached addresses of tensors."""
        self.shared[0] += 1

    def collected(self) -> None:
        """Lua's garbage collector has run: the next one is due after as many bytes as tensors now occupy."""
        if self.handles.of_modules > COLLECT_AFTER:
            self.handles.of_modules = 0
            gc.collect()
        seen: dict[int, int] = {}
        for obj in self.handles.objects.values():
            if isinstance(obj, torch.Tensor) and obj.device.type != "meta":
                storage = obj.untyped_storage()
                seen[storage._cdata] = storage.nbytes()
        self.handles.allocated = 0
        self.handles.limit = max(COLLECT_AFTER, sum(seen.values()))

    # -- start --------------------------------------------------------------------------------------------

    def _boot(self, pairs: str) -> None:
        packages["torch"].load()
        functions = host_functions(self)
        proxies = self._proxies
        functions |= serial_functions(self)
        functions |= state_functions(self)
        functions |= small_step_functions(self)
        functions |= step_program_functions(self)
        functions |= {
            "new_peer": proxies.new_peer,
            "new_unfinished_peer": proxies.new_unfinished_peer,
            "without_constructor": proxies.without_constructor,
            "fill_absent": proxies.fill_absent,
            "new_blank": proxies.new_blank,
            "begin_restore": proxies.begin_restore,
            "end_restore": proxies.end_restore,
            "saved_names": proxies.saved_names,
            "field_to_save": proxies.field_to_save,
            "saved_value": proxies.saved_value,
            "extras": proxies.extras,
            "initialize": proxies.initializer(),
            "class_of": proxies.class_of,
            "package_of": proxies.package_of,
            "method": proxies.method,
            "is_kin": proxies.is_kin,
            "is_needless": proxies.is_needless,
            "lend": proxies.lend,
            "take_back": proxies.take_back,
            "get_field": proxies.get_field,
            "read_field": proxies.read_field,
            "set_field": proxies.set_field,
            "field_names": proxies.field_names,
            "changed_fields": proxies.changed_fields,
            "children": proxies.children,
            "set_children": proxies.set_children,
            "mark": proxies.mark,
            "apply_map": proxies.apply_map,
            "copied": proxies.copied,
            "copied_table": proxies.copied_table,
            "package": self._package,
            "requirements": self._requirements,
            "came_with_torch": came_with_torch,
            "advice": advice,
            "package_function": functools.partial(package_functions.package_function, self),
            "record_method": functools.partial(package_functions.record_method, self),
            "exit": self._exit,
            "poll": self.state.check,  # Python looks for signals whenever it is called
            "learn_hook": self.target.learn,
            "is_armed": lambda: self.target.armed,
            "disarm": self.target.disarm,
            "write_text": self.streams.write,
            "flush_text": self.streams.flush,
            "setting": self._setting,
        }
        if self.state.group is not None:
            functions |= {"acts": self.state.group.acts, "agree": self._agree, "place": _writable_path}
        functions["patch"] = source.patch
        functions["working_directory"] = lambda: from_file_name(os.getcwd())
        if self._rewrite is not None:
            functions["rewrite"] = self._rewrite
        functions["negative_zero"] = engine.as_object(self.engine, -0.0)
        self._host = functions  # lupa does not keep what Lua alone holds
        host = self._lua.table_from(functions)
        ffi = self.engine != "lua51"
        config = self._constant(lua_config.at_start())
        config["shared"] = ctypes.addressof(self.shared) if ffi else None
        config["moves"] = ctypes.addressof(memory.moves) if ffi else None
        config["on_cpu"] = self.state.device.type == "cpu"
        config["small_steps"] = step_programs.lua_takes_steps() and self.shared_models is None
        config["library"] = torch_library()
        config["pairs"] = pairs
        config["several"] = self.state.group is not None
        config["colors"] = output.takes_colors(sys.stdout)
        config["default"] = self.state.default_type.name
        boot = self._chunk("boot.lua")
        chunk = self._chunk
        core = boot(host, config, chunk, self._keep_globals)
        self.state.libm = self._chunk("libm.lua")(self._chunk("torch7py.kernels/reading.lua")())
        reference = weakref.ref(self)  # what the State holds must not keep a runtime

        def prints(*values: Any) -> None:
            runtime = reference()
            assert runtime is not None
            runtime.call_lua("print", *encode_results(runtime.handles, values))

        self.state.prints = prints
        self.callbacks = {str(name): function for name, function in core.items()}
        self.streams.redirect = self.callbacks["redirect"]

    def _chunk(self, name: str) -> Any:
        """Load one of the bridge's Lua files as a function that is not part of the script's stack traces."""
        if self._rewrite_packages is not None and name.startswith("torch7py.packages."):
            return self._load(self._rewrite_packages(engine.chunk_source(name)), chunk_name(name))
        return self._function(name, functools.partial(engine.chunk_source, name), chunk_name(name))

    def _constant(self, expression: str) -> Any:
        """Evaluate a constant Lua expression."""
        return self._function(expression, lambda: f"return {expression}", "=[torch7py]")()

    def _function(self, key: str, source: Callable[[], str], name: str) -> Any:
        """Compile Lua text. The bytecode is cached for other runtimes, since compiling is half of a start."""
        compiled = _compiled.get((self.engine, key))
        if compiled is not None:
            return self._load(compiled)
        function = self._load(source(), name)
        _compiled[self.engine, key] = self._dump(function)
        return function

    def _package(self, name: str) -> Any:
        """Load a package, whose requirements are loaded; returns its description for Lua."""
        with _registering:
            return self._loaded_package(name)

    def _loaded_package(self, name: str) -> Any:
        package = packages[name]
        package.load()
        if package.start is not None:
            package.start()
        if self.state.cuda_generator is not None and not self.handles.cuda:
            self.handles.cuda = True
            self._choose_cutorch()
            older = self.state.cutorch_generation == generation.OLDER
            self.dispatcher.enable_cuda(self.state.cuda_generator, older)
        if name in ("nn", "rnn") and self.state.generation is None:
            self._choose_generation()
        description = lua_config.of_package(package, self._loaded)
        self._loaded.add(name)
        return self._constant(description)

    def _choose_generation(self) -> None:
        """Choose the generation of nn and rnn by the program, and report the older one."""
        chosen = generation.LATER
        if self._script is not None:
            chosen = generation.generation_of(self._script, self._script_source)
        self.state.generation = chosen
        if chosen == generation.OLDER:
            print(
                f"torch7py: {self._script} calls backwardThroughTime, so it gets nn and rnn as of 2015; "
                "--rnn-api 2016 gives it later ones",
                file=sys.stderr,
            )

    def _choose_cutorch(self) -> None:
        """Choose the generation of cutorch by the program; the older rnn implies the older cutorch."""
        if self.state.cutorch_generation is not None:
            return
        chosen = generation.LATER
        if self.state.generation == generation.OLDER:
            chosen = generation.OLDER
        elif (
            self._script is not None
            and generation.cutorch_generation_of(self._script, self._script_source) == generation.OLDER
        ):
            chosen = generation.OLDER
            print(
                f"torch7py: {self._script} combines indices with other tensors, so it gets cutorch as of 2015; "
                "--cutorch-api 2016 gives it a later one",
                file=sys.stderr,
            )
        self.state.cutorch_generation = chosen

    def _requirements(self, name: str) -> Any:
        """The packages that a package requires; None if there is no such package."""
        with _registering:
            package = packages.get(name)
        return None if package is None else self._lua.table_from(package.requires)

    def _agree(self, what: str, *values: Any) -> Any:
        """The first process's values: text, numbers and truth."""
        return tuple(one_writer.agreed(to_file_name(what), values))

    def _setting(self, name: str, value: Any = None) -> Any:
        if name == "default_type":
            if value is not None:
                self.state.default_type = types.BY_NAME[value]
                self.dispatcher.follow_default(self.state.default_type.is_cuda)
            return self.state.default_type.name
        if name == "generation":
            return self.state.generation
        raise TorchError(f"unknown setting {name}")

    # -- running ------------------------------------------------------------------------------------------

    def run(self, path: str | os.PathLike[str], arguments: Sequence[str] = ()) -> int:
        """Run a Lua file as ``th FILE ARGUMENTS`` did; returns the exit code.

        Raises LuaError when the program fails, OSError when the file cannot be read.
        """
        name = os.fspath(path)
        return self.run_source(Path(name).read_bytes(), name, arguments)

    def run_source(self, source: bytes, name: str, arguments: Sequence[str] = (), first: str = "") -> int:
        """``run`` for a program that was read already; ``first`` is Lua that is run before it, as ``th -e`` did.

        Where ``name`` is no file, other files are looked for in the working directory.
        """
        self._script, self._script_source = name, source
        words = [str(word) for word in arguments]
        code = int(self.call_lua("run", _source(first), "(command line)", *words) or 0) if first else 0
        return code or int(self.call_lua("run", source.decode("latin1"), name, *words) or 0)

    def execute(self, source: str, name: str = "=python") -> Any:
        """Run Lua source and return what it returns: one value, a tuple of several, or None.

        docs/value_conversion.md says what Lua's values are in Python; a table is a ``LuaTable``. Raises LuaError when
        the program fails, LuaSyntaxError when the source is not Lua.
        """
        return self.enter_lua("execute", _source(source), name)

    def call(self, function: str | LuaFunction, *arguments: Any) -> Any:
        """Call a Lua function, or the one of this name: ``runtime.call("torch.manualSeed", 1)``."""
        if isinstance(function, str):
            callee = self.enter_lua("user_named", to_latin1(function))
            if callee is None:
                raise TorchError(f"there is no '{function}' in Lua")
        else:
            callee = function
        if not callable(callee) or isinstance(callee, LuaTable):
            raise TypeError(f"{function!r} is no function")
        return callee(*arguments)

    def require(self, name: str) -> Any:
        """What Lua's ``require(name)`` gives."""
        return self.enter_lua("user_require", to_latin1(name))

    def evaluate(self, source: str, name: str = "=python") -> Any:
        """``execute`` with the conversion of layers and operations.

        Tables are lists and dicts, and a string has one character for each byte.
        """
        return self.call_lua("evaluate", _source(source), name)

    def execute_internal(self, source: str, name: str) -> Any:
        """``execute`` for Lua of this package: the program's changes of Lua's own globals do not reach it."""
        return self.enter_lua("execute_own", _source(source), f"=[torch7py] {name}")

    def set_global(self, name: str, value: Any) -> None:
        """Set a global variable, with the conversion of layers and operations."""
        self.call_lua("set_global", name, *encode_results(self.handles, value))

    # -- calls --------------------------------------------------------------------------------------------

    def enter_lua(self, callback: str, *arguments: Any, values: tuple[Any, ...] = ()) -> Any:
        """Call a function of value_conversion.lua. ``arguments`` are passed unchanged, ``values`` are converted."""
        results = [from_lua(value) for value in self.read_lua(callback, *arguments, values=values)]
        return None if not results else results[0] if len(results) == 1 else tuple(results)

    def read_lua(self, callback: str, *arguments: Any, values: tuple[Any, ...] = ()) -> list[Any]:
        """``enter_lua`` without the conversion of the results."""
        with self._entered():
            encoded = encode(self, values) if values else ()
            return read_values(self, self.callbacks[callback](*arguments, *encoded))

    def call_lua(self, callback: str, *arguments: Any) -> Any:
        """Call one of the bridge's Lua functions and decode its results. Raises LuaError if Lua raised an error."""
        if self._runs() and not self.handles.within_cuda:
            if self.dropped:
                self.drop()
            self.advance()
            return read_answer(self, self.callbacks[callback](*arguments))
        with self._entered():
            if self.handles.within_cuda:
                with self.cuda_scope(False):
                    return read_answer(self, self.callbacks[callback](*arguments))
            return read_answer(self, self.callbacks[callback](*arguments))

    def final_exception(self, message: str) -> BaseException:
        """The exception that ends more than the program and is passing through Lua; ``message`` names the Lua line."""
        cause, self.last_exception = self.last_exception, None
        self._unwinding = True
        if cause is None or (isinstance(cause[0], KeyboardInterrupt) and not str(cause[0])):
            return KeyboardInterrupt(message)
        return cause[0]  # one of a runtime within this one says where that was

    def cause_of(self, message: str) -> BaseException | None:
        """The Python exception that caused the Lua error with this message."""
        cause, self.last_exception = self.last_exception, None
        return cause[0] if cause is not None and cause[1] in message else None

    def python_function(self, function: Callable[..., Any]) -> PythonFunction:
        """The object that stands for a callable in Lua: one for each callable, as long as Lua holds it."""
        known = self._functions.get(id(function))
        if known is None or known.function is not function:
            known = self._functions[id(function)] = PythonFunction(function)
        return known

    @contextlib.contextmanager
    def left(self) -> Iterator[None]:
        """While Lua calls a function of the user's."""
        self.streams.into_python()
        try:
            yield
        finally:
            self.streams.into_lua()
            self.state.run += 1

    def _globals(self) -> Globals:
        return Globals(self, int(read_answer(self, self.callbacks["user_globals"]())))

    def _runs(self) -> bool:
        """Whether this is a nested call, which runs under the conditions of ``_entered`` already."""
        if not self._entries or self.closed or torch.is_grad_enabled():
            return False
        return state.current() is self.state

    @property
    def is_watched(self) -> bool:
        """Whether a tool changes the program's source to watch it."""
        return self._rewrite is not None

    @property
    def script(self) -> str | None:
        """The path of the program that was run last."""
        return self._script

    def take_process(self) -> None:
        """Let ``os.exit`` end the process, since only this program runs in it, and show each line that it prints."""
        self.call_lua("take_process")
        if not getattr(sys.stdout, "write_through", False):  # with ``python -u`` nothing is buffered
            self.buffer_output("line")

    def buffer_output(self, mode: str) -> None:
        """Buffer what Lua prints as ``io.stdout:setvbuf(mode)``: by "line", or "no" text at all.

        C's default for a pipe or a file is a buffer of some kilobytes: what stands there comes after all that was
        written to stderr meanwhile, and nobody sees a long run go on.
        """
        self.call_lua("buffer_output", mode)

    def _finish_packages(self) -> None:
        with state.use(self.state):
            for name in sorted(self._loaded):
                finish = packages[name].finish
                if finish is not None:
                    finish()

    def _exit(self, code: int) -> None:
        for ending in self.on_exit:
            ending()
        self._finish_packages()
        lost = output.flush()
        if lost is not None:
            print(f"torch7py: {lost}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(code or int(lost is not None))


class _Entered:
    """A ``with`` block around a call from Python into Lua (``Runtime._entered``)."""

    __slots__ = ("_gradients", "_runtime", "_state", "_watched")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._state = state.use(runtime.state)
        self._watched: bool | None = None

    def __enter__(self) -> None:
        runtime = self._runtime
        before = runtime._entries
        try:  # an interrupt may come anywhere here
            runtime._entries = before + 1
            runtime.advance()
            self._watched = Interrupts.enter(runtime.target)
            if not before:
                runtime._enter()
        except BaseException:
            runtime._entries = before
            if self._watched is not None:
                Interrupts.leave(runtime.target, self._watched)
            raise
        self._state.__enter__()
        self._gradients = torch.is_grad_enabled()
        if self._gradients:
            torch.set_grad_enabled(False)

    def __exit__(self, *error: object) -> None:
        runtime = self._runtime
        try:
            if self._gradients:
                torch.set_grad_enabled(True)
            self._state.__exit__()
        finally:
            runtime._entries -= 1
            Interrupts.leave(runtime.target, bool(self._watched))
        if not runtime._entries:
            runtime._leave()


def _after_fork() -> None:
    global _registering
    _registering = threading.RLock()  # a thread that is not in the child may hold it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _not_at_all(text: str) -> None:
    """Another process says it."""


def _tell(text: str) -> None:
    print(f"torch7py: {text}", file=sys.stderr)


def _writable_path(name: str, keeps: bool) -> str:
    """The path, in Lua's bytes, of the file to open in place of one to write."""
    path: str = from_file_name(one_writer.path_for_writing(to_file_name(name), keeps))
    return path


def _source(text: str) -> str:
    """Lua source with one character for each byte of its UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("latin1")
