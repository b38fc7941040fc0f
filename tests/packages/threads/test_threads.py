"""threads: pools whose jobs run in Lua states of their own, in threads of their own or in turn."""

from __future__ import annotations

import gc
import gzip
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fake_group import FakeGroup, in_processes
from tests.golden_cases import GOLDEN
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge import workers
from torch7py.bridge.errors import LuaError
from torch7py.bridge.worker_process import WorkerProcess
from torch7py.ops.errors import TorchError

SEQUENCES = Path(__file__).with_name("pool_sequences.lua")


@pytest.fixture
def run(runtime):
    runtime.execute("threads = require 'threads'")
    return runtime.execute


@contextmanager
def heeding_interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def job_threads() -> int:
    return sum(thread.name == "torch7py-jobs" for thread in threading.enumerate())


def message(run, source: str) -> str:
    with pytest.raises(LuaError) as caught:
        run(source)
    return str(caught.value)


class TestThreads:
    def test_the_readmes_example(self, run):
        script = """local msg, done, ids = 'hello', 0, {}
        local pool = threads.Threads(3, function(id) gmsg = msg .. id end)
        for i = 1, 7 do
            pool:addjob(function() return gmsg, __threadid end, function(text, id)
                done = done + 1
                ids[#ids + 1] = text .. '/' .. id
            end)
        end
        pool:synchronize()
        pool:terminate()
        return done, table.concat(ids, ' '), gmsg, __threadid, pool:isrunning()"""
        order = "hello1/1 hello2/2 hello3/3 hello1/1 hello2/2 hello3/3 hello1/1"
        assert run(script) == (7, order, None, None, False)

    def test_arguments_results_and_upvalues(self, run):
        script = """local upvalue, got = 10, nil
        local pool = threads.Threads(1)
        pool:addjob(function(a, b, t) seen = upvalue return a, b, t.x:sum() + upvalue, nil, 'end' end,
                    function(...) upvalue = 11 got = {select('#', ...), ...} end, 1, nil, {x = torch.ones(3)})
        pool:synchronize()
        return got[1], got[2], got[3], got[4], got[6], upvalue"""
        assert run(script) == (5, 1, None, 13, "end", 11)

    def test_what_goes_in_is_a_copy(self, run):
        script = """local x, sum = torch.zeros(2), nil
        local pool = threads.Threads(1)
        pool:addjob(function() x:fill(5) return x end, function(y) sum = y:sum() end)
        pool:synchronize()
        return x:sum(), sum"""
        assert run(script) == (0, 10)

    def test_results_of_the_last_start_function(self, run):
        script = """local pool, results = threads.Threads(2, function() base = 10 end,
                                               function(id) return base + id, id end)
        return results[1][1], results[1][2], results[2][1], #results"""
        assert run(script) == (11, 1, 12, 2)

    def test_layers(self, run):
        script = """require 'nn'
        local model, out = nn.Linear(3, 2), nil
        local pool = threads.Threads(2, function() require 'nn' end)
        pool:addjob(function(x) return model:forward(x), model end, function(y, m) out = {y, m} end, torch.ones(3))
        pool:synchronize()
        return (out[1] - model:forward(torch.ones(3))):abs():max(), torch.type(out[2])"""
        assert run(script) == (0, "nn.Linear")

    def test_specific(self, run):
        script = """local pool, seen = threads.Threads(2), {}
        pool:specific(true)
        for _, id in ipairs {2, 2, 1} do
            pool:addjob(id, function(x) count = (count or 0) + 1 return __threadid, count, x end,
                        function(a, b, c) seen[#seen + 1] = a * 100 + b * 10 + c end, 7)
        end
        local accepts = {}
        for i = 1, 5 do
            accepts[i] = pool:acceptsjob(2)
            if accepts[i] then pool:addjob(2, function() end) end
        end
        local full = not accepts[4] and accepts[3] and pool:acceptsjob(1)
        pool:specific(false)
        return seen[1], seen[2], seen[3], full, pool:specific()"""
        assert run(script) == (217, 227, 117, True, False)

    def test_a_job_that_a_thread_has_taken_frees_its_place(self, run):
        script = """local pool, got = threads.Threads(1, function() n = 0 end), nil
        local function job() n = n + 1 return n end
        local function take(x) got = x end
        pool:addjob(job, take)
        pool:addjob(job, take)
        pool:dojob()
        return got"""
        assert run(script) == 1

    def test_results_wait_and_threads_with_one_more(self, run):
        script = """local pool, done, taken = threads.Threads(2), 0, 0
        local function add() pool:addjob(function() end, function() done = done + 1 end) end
        while pool:acceptsjob() do add() taken = taken + 1 end
        local before = done
        add()
        return taken, before, done, pool:acceptsjob(), pool:hasjob(), pool:haserror()"""
        assert run(script) == (6, 0, 1, False, True, False)

    @pytest.mark.parametrize("pools", ["threads", "processes", "in turn"])
    def test_random_sequences_of_operations(self, capfd, pools):
        """As the original did them (``tests/golden/pools.txt.gz``)."""
        last = 10 if pools == "processes" else 40
        with Runtime(pools=pools) as runtime:
            runtime.run(str(SEQUENCES), ["1", str(last), "0"])
        ours = capfd.readouterr().out.splitlines()
        with gzip.open(GOLDEN / "pools.txt.gz", "rt") as file:
            recorded = [line.rstrip() for line in file if int(line.split(":")[0]) <= last]
        assert len(recorded) > last / 2
        assert set(recorded) <= set(ours)

    def test_several_threads_give_what_they_give_in_turn(self, capfd):
        traces = []
        for pools in ("threads", "processes", "in turn"):
            with Runtime(seed=1, pools=pools) as runtime:
                runtime.run(str(SEQUENCES), ["1", "5", "0", "3"])
            traces.append(capfd.readouterr().out.splitlines())
        assert traces[0] == traces[1] == traces[2]
        assert len(traces[0]) == 5

    def test_jobs_that_nobody_waited_for_are_done_at_the_end(self, runtime, tmp_path, capfd):
        program = tmp_path / "program.lua"
        program.write_text("""local pool = require('threads').Threads(1)
        for i = 1, 3 do pool:addjob(function() return i end, function(x) print('done', x) end) end
        pool:addjob(function() error('bad luck') end)
        print 'last line'""")
        assert runtime.run(str(program)) == 0
        out, err = capfd.readouterr()
        assert out.split() == "done 1 last line done 2 done 3".split()
        assert "a pool that nobody waited for: " in err
        assert "bad luck" in err

    def test_what_a_job_resizes(self, run):
        script = """threads.Threads.serialization('threads.sharedserialize')
        local x, pool = torch.ones(3, 3), threads.Threads(1)
        local row = x[2]
        for i = 1, 200 do x[1][1] = row[1] end
        pool:addjob(function() x:resize(300, 300):fill(4) end)
        pool:synchronize()
        return x[1][1], x[300][300], row[1], row:sum()"""
        assert run(script) == (4, 4, 4, 12)

    def test_states_have_their_own_settings(self, run):
        script = """torch.setdefaulttensortype('torch.FloatTensor')
        local pool, kind = threads.Threads(1, function() torch.setdefaulttensortype('torch.IntTensor') end), nil
        pool:addjob(function() return torch.Tensor(1):type() end, function(t) kind = t end)
        pool:synchronize()
        return kind, torch.Tensor(1):type()"""
        assert run(script) == ("torch.IntTensor", "torch.FloatTensor")

    def test_a_seed_makes_runs_equal(self):
        def drawn() -> tuple[float, ...]:
            with Runtime(seed=3) as runtime:
                script = """local threads, t = require 'threads', {}
                local pool = threads.Threads(2)
                for i = 1, 2 do pool:addjob(function() return torch.uniform() end, function(x) t[i] = x end) end
                pool:synchronize()
                return t[1], t[2], torch.uniform()"""
                return tuple(runtime.execute(script))

        first = drawn()
        assert first == drawn()
        assert len(set(first)) == 3

    def test_a_job_with_a_pool_of_its_own(self, run):
        script = """local pool, sum = threads.Threads(2), 0
        pool:addjob(function()
            local inner, n = require('threads').Threads(2), 0
            for i = 1, 4 do inner:addjob(function() return i end, function(x) n = n + x end) end
            inner:synchronize()
            return n
        end, function(n) sum = n end)
        pool:synchronize()
        return sum"""
        assert run(script) == 10

    def test_the_old_name(self, run):
        assert run("return threads(1).N, require('threads.threads') == threads.Threads") == (1, True)

    def test_pools_that_are_garbage_close_their_states(self, runtime, run):
        run(
            "for i = 1, 2 do threads.Threads(1) end collectgarbage() collectgarbage() pool = threads.Threads(1)"
        )
        assert [state is None for state in runtime.thread_states.values()] == [True, True, False]

    def test_closing_states_seldom_searches_for_garbage(self, run, monkeypatch):
        searches = []
        monkeypatch.setattr("torch7py.bridge.runtime.gc.collect", lambda: searches.append(1))
        monkeypatch.setattr("torch7py.bridge.thread_states.TOGETHER", 2)
        run("for i = 1, 5 do threads.Threads(1):terminate() end")
        assert len(searches) == 2

    def test_files_of_the_program(self, run, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "helper.lua").write_text("return {answer = 42}")
        script = """package.path = package.path .. ';lib/?.lua'
        local pool, answer = threads.Threads(1), nil
        pool:addjob(function() return require('helper').answer end, function(x) answer = x end)
        pool:synchronize()
        return answer"""
        assert run(script) == 42


class TestErrors:
    def test_in_a_job(self, run):
        script = """pool = threads.Threads(2)
        pool:addjob(function() local function evil() error('bad luck') end evil() end)
        done = 0
        pool:addjob(function() end, function() done = 1 end)
        pool:synchronize()"""
        text = message(run, script)
        assert text.startswith("python:5: [thread 1 callback] python:2: bad luck\nstack traceback:")
        assert "in function 'evil'" in text
        assert run("pool:synchronize() return done") == 1

    def test_in_what_follows_a_job(self, run):
        script = "pool = threads.Threads(1)\npool:addjob(function() end, function() error('late') end)\npool:dojob()"
        assert message(run, script).startswith(
            "python:3: [thread 1 endcallback] python:2: late\nstack traceback:"
        )
        assert run("return pool.errors, pool:hasjob()") == (True, False)

    @pytest.mark.parametrize(
        ("source", "says"),
        [
            ("threads.Threads(0)", "a number of threads expected"),
            ("threads.Threads(1):addjob(1)", "function callback expected"),
            ("threads.Threads(1):addjob(function() end, 1)", "function (or nil) endcallback expected"),
            ("threads.Threads(1):dojob()", "there is no job to be done"),
            (
                "local p = threads.Threads(1) p:specific(true) p:addjob(2, function() end)",
                "thread index expected",
            ),
            (
                "local p = threads.Threads(1) p:terminate() p:addjob(function() end)",
                "thread system is not running",
            ),
            (
                "threads.Threads(1):addjob(function() return print end, nil, io.stdout)",
                "Unwritable object <userdata>",
            ),
            (
                "require 'nn' local m = nn.Linear(1, 1) threads.Threads(1, function() return m end)",
                "nn.Linear",
            ),
        ],
    )
    def test_wrong_use(self, run, source, says):
        text = message(run, f"\n{source}")
        assert text.startswith("python:2: ")
        assert says in text


ENDLESS = {
    "a loop": "while true do end",
    "tensors": "local x = require('torch').ones(10) while true do x:add(1) end",
    "a mutex": "local m = require('threads').Mutex() m:lock() end, nil) pool:addjob(function() "
    "require('threads').Condition():wait(require('threads').Mutex())",
    "a pool": "local p = require('threads').Threads(1) p:addjob(function() while true do end end) p:synchronize()",
}


class TestBesideTheProgram:
    """What jobs do at the same time as others, which they cannot in turn."""

    def test_jobs_that_wait_for_each_other(self, run):
        script = """threads.Threads.serialization('threads.sharedserialize')
        local a, b = require('tds').AtomicCounter(), require('tds').AtomicCounter()
        local pool, seen = threads.Threads(2, function() require 'tds' end), {}
        pool:addjob(function() a:inc() while b:get() == 0 do end return 'a' end, function(x) seen[#seen + 1] = x end)
        pool:addjob(function() b:inc() while a:get() == 0 do end return 'b' end, function(x) seen[#seen + 1] = x end)
        pool:synchronize()
        return table.concat(seen)"""
        assert run(script) == "ab"

    def test_results_come_in_the_order_in_which_jobs_were_begun(self, run):
        script = """threads.Threads.serialization('threads.sharedserialize')
        local done = require('tds').AtomicCounter()
        local pool, seen = threads.Threads(2, function() require 'tds' end), {}
        local function note(x) seen[#seen + 1] = x end
        pool:addjob(function() while done:get() == 0 do end return 'first' end, note)
        pool:addjob(function() done:inc() return 'second' end, note)
        pool:synchronize()
        return table.concat(seen, ' ')"""
        assert run(script) == "first second"

    def test_a_counter_that_many_change(self, run):
        script = """threads.Threads.serialization('threads.sharedserialize')
        local counter = require('tds').AtomicCounter()
        local pool = threads.Threads(2, function() require 'tds' end)
        for i = 1, 4 do pool:addjob(function() for i = 1, 500 do counter:inc() end end) end
        for i = 1, 500 do counter:inc() end
        pool:synchronize()
        return counter:get()"""
        assert run(script) == 2500

    def test_a_mutex_keeps_jobs_apart(self, run):
        script = """threads.Threads.serialization('threads.sharedserialize')
        local x, number = torch.zeros(1), threads.Mutex():id()
        local pool = threads.Threads(2)
        for i = 1, 4 do
            pool:addjob(function()
                local mutex = require('threads').Mutex(number)
                for i = 1, 200 do
                    mutex:lock()
                    local before = x[1]
                    for i = 1, 50 do x[1] = -1 end
                    x[1] = before + 1
                    mutex:unlock()
                end
            end)
        end
        pool:synchronize()
        return x[1]"""
        assert run(script) == 800

    @pytest.mark.parametrize("name", ENDLESS)
    def test_a_program_that_ends_ends_its_jobs(self, name):
        before = job_threads()
        with Runtime() as runtime:
            runtime.execute("pool = require('threads').Threads(2)")
            runtime.execute(f"pool:addjob(function() {ENDLESS[name]} end)")
            start = time.monotonic()
        assert time.monotonic() - start < 20  # on however busy a machine
        assert job_threads() == before
        assert not workers.abandoned()

    def test_a_job_that_does_not_look_whether_it_is_to_end(self, monkeypatch):
        """One that sleeps is left; whoever ends the process learns of it as long as it lives."""
        monkeypatch.setattr(workers, "PATIENCE", 0.1)
        with Runtime() as runtime:
            runtime.execute("pool = require('threads').Threads(1)")
            runtime.execute("pool:addjob(function() require('sys').sleep(1.5) end)")
            time.sleep(0.2)
        assert workers.abandoned()
        end = time.monotonic() + 30
        while workers.abandoned() and time.monotonic() < end:
            time.sleep(0.05)
        assert not workers.abandoned()

    def test_a_program_that_is_forgotten_leaves_no_thread(self):
        before = job_threads()
        runtime = Runtime()
        runtime.execute("pool = require('threads').Threads(2)")
        del runtime
        gc.collect()
        end = time.monotonic() + 20
        while job_threads() > before and time.monotonic() < end:
            time.sleep(0.01)
        assert job_threads() == before

    def test_an_interrupt_while_the_program_waits(self):
        with heeding_interrupts(), Runtime() as runtime:
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt, match="python:2"):
                runtime.execute(
                    "pool = require('threads').Threads(1, function() end)\n"
                    "pool:addjob(function() while true do end end) pool:synchronize()"
                )

    @pytest.mark.parametrize("pools", ["threads", "processes", "in turn"])
    def test_a_job_that_exits(self, pools):
        with Runtime(pools=pools) as runtime:
            runtime.execute("pool = require('threads').Threads(1)")
            with pytest.raises(SystemExit) as ended:
                runtime.execute("pool:addjob(function() os.exit(7) end) pool:synchronize()")
        assert ended.value.code == 7

    def test_recursion_is_as_deep_as_in_the_program(self, run):
        script = """local function f(n) return (string.gsub('a', 'a', function() return f(n + 1) end)) end
        local pool = threads.Threads(1)
        pool:addjob(function() return select(2, pcall(f, 0)) end, function(text) said = text end)
        pool:synchronize()
        return said"""
        assert "stack overflow" in run(script)


class TestProcesses:
    """Jobs in processes of their own."""

    @pytest.fixture
    def run(self):
        with Runtime(pools="processes", seed=1) as runtime:
            runtime.execute(
                "threads = require 'threads' threads.Threads.serialization('threads.sharedserialize')"
            )
            yield runtime.execute

    def test_tensors_and_storages_are_shared(self, run):
        script = """local x, s, views = torch.ones(3, 2), torch.FloatStorage(2):fill(1), nil
        local row, empty, same = x[2], torch.Tensor(), nil
        local pool = threads.Threads(1)
        for i = 1, 3 do
            pool:addjob(function(y)
                x:add(1) s[1] = s[1] + 1 y[1] = 7
                return x:narrow(1, 1, 2), empty, x:storage():size(), torch.ones(2):cmul(y)
            end, function(v, e, size, new) views = {v, e:dim(), size, new:sum()} end, row)
        end
        pool:synchronize()
        views[1]:fill(9)
        x[3][1] = 5
        return x[1][1], x[2][2], x[3][2], s[1], row[1], views[2], views[3], views[4], views[1]:size(1)"""
        assert run(script) == (9, 9, 4, 4, 9, 0, 6, 11, 2)

    def test_a_network(self, run):
        script = """require 'nn'
        local model = nn.Sequential():add(nn.Linear(2, 1))
        local pool, trained = threads.Threads(2, function() require 'nn' end), nil
        pool:addjob(function(net) net:get(1).weight:fill(3) net:get(1).bias:zero() return net end,
                    function(net) trained = net end, model)
        pool:synchronize()
        return model:forward(torch.ones(2))[1], trained:forward(torch.ones(2))[1]"""
        assert run(script) == (6, 6)

    def test_what_they_cannot_share(self, run):
        assert "no mutex in common" in message(run, "threads.Mutex()")
        assert "no condition in common" in message(run, "threads.Condition()")
        counter = "local c = require('tds').AtomicCounter() threads.Threads(1):addjob(function() c:inc() end)"
        assert "no counter in common" in message(run, counter)
        resized = "local x = torch.ones(2) local p = threads.Threads(1) p:addjob(function() x:resize(20) end) p:dojob()"
        assert "cannot be resized" in message(run, resized)

    def test_a_process_that_is_killed(self, run):
        ffi = "require('ffi').cdef 'int getpid(); int kill(int, int);'"
        killed = f"""pool = threads.Threads(1)
        pool:addjob(function() {ffi} require('ffi').C.kill(require('ffi').C.getpid(), 9) end)
        pool:synchronize()"""
        if run("return jit == nil"):
            pytest.skip("plain Lua has no FFI, with which the job ends itself")
        assert "the process of this thread has ended: it was killed (SIGKILL)" in message(run, killed)
        assert "has ended" in message(run, "pool:addjob(function() end) pool:synchronize()")

    def test_what_they_print_and_raise(self, run, capsys):
        run("pool = threads.Threads(1) pool:addjob(function() print('from a job') end) pool:synchronize()")
        assert "from a job" in capsys.readouterr().out
        text = message(run, "pool:addjob(function()\nerror('bad luck') end)\npool:synchronize()")
        assert text.startswith("python:3: [thread 1 callback] python:2: bad luck\nstack traceback:")

    def test_a_program_that_ends_ends_them(self):
        with Runtime(pools="processes") as runtime:
            runtime.execute("pool = require('threads').Threads(2)")
            runtime.execute("pool:addjob(function() while true do end end)")
            numbers = [
                state.process for state in runtime.thread_states.values() if isinstance(state, WorkerProcess)
            ]
        assert len(numbers) == 2
        for number in numbers:
            with pytest.raises(ProcessLookupError):
                os.kill(number, 0)

    def test_functions_that_came_later(self, run):
        """A function that the program compiled after the process began, and one that a job did."""
        script = """local pool, got = threads.Threads(1), nil
        local late = loadstring('return ...')
        pool:addjob(function() local inner = loadstring('return 4') return late(3), inner end,
                    function(x, f) got = x + f() end)
        pool:synchronize()
        return got"""
        assert run(script) == 7


class TestInTurn:
    """Where jobs are done one after the other, in the thread of the program."""

    def run_in(self, runtime: Runtime) -> object:
        return runtime.execute("""local threads, steps = require 'threads', {}
        threads.Threads.serialization('threads.sharedserialize')
        local seen = torch.zeros(1)
        local pool = threads.Threads(2)
        pool:addjob(function() seen[1] = seen[1] + 1 end)
        return seen[1]""")

    def test_when_asked_for(self):
        with Runtime(pools="in turn") as runtime:
            assert self.run_in(runtime) == 1

    def test_when_a_tool_watches(self):
        with Runtime(rewrite=lambda source, name: source) as runtime:
            assert self.run_in(runtime) == 1

    def test_in_several_processes(self):
        def run(group: FakeGroup) -> object:
            with Runtime(group=group, seed=1) as runtime:
                return self.run_in(runtime)

        assert in_processes(2, run) == [1, 1]

    def test_waiting_for_another_is_an_error(self):
        with Runtime(pools="in turn") as runtime, pytest.raises(LuaError, match="one after the other"):
            runtime.execute("""require('threads').Threads.serialization('threads.sharedserialize')
            local counter = require('tds').AtomicCounter()
            local pool = require('threads').Threads(1, function() require 'tds' end)
            pool:addjob(function() while counter:get() == 0 do end end)
            pool:synchronize()""")

    def test_other_ways_are_refused(self):
        with pytest.raises(TorchError, match="pools must be"):
            Runtime(pools="fork")


class TestSharing:
    @pytest.fixture
    def run(self, run):
        run("threads.Threads.serialization('threads.sharedserialize')")
        return run

    def test_tensors_and_storages(self, run):
        script = """local x, s, views = torch.ones(3), torch.FloatStorage(2):fill(1), nil
        local pool = threads.Threads(2)
        local number = threads.Mutex():id()
        for i = 1, 4 do
            pool:addjob(function()
                local mutex = require('threads').Mutex(number)
                mutex:lock() x:add(1) s[1] = s[1] + 1 mutex:unlock()
                return x:narrow(1, 1, 2) end, function(v) views = v end)
        end
        pool:synchronize()
        views:fill(9)
        return x[1], x[3], s[1]"""
        assert run(script) == (9, 5, 5)

    def test_a_network(self, run):
        script = """require 'nn'
        local model = nn.Sequential():add(nn.Linear(2, 1))
        local pool = threads.Threads(1, function() require 'nn' end)
        pool:addjob(function() model:get(1).weight:fill(3) model:get(1).bias:zero() end)
        pool:synchronize()
        return model:forward(torch.ones(2))[1]"""
        assert run(script) == 6

    def test_resizing(self, run):
        script = """local x = torch.ones(2)
        local pool = threads.Threads(1)
        pool:addjob(function() x:resize(2000):fill(1) end)
        pool:synchronize()
        return x:sum()"""
        assert run(script) == 2000

    def test_saving_in_files_is_as_ever(self, run):
        script = (
            "local x = torch.ones(2) local s = torch.serialize(x) x:zero() return torch.deserialize(s):sum()"
        )
        assert run(script) == 2

    def test_a_counter(self, run):
        script = """local counter = require('tds').AtomicCounter()
        local pool = threads.Threads(2, function() require 'tds' end)
        for i = 1, 5 do pool:addjob(function() counter:inc() end) end
        pool:synchronize()
        return counter:get(), torch.deserialize(torch.serialize(counter)):get()"""
        assert run(script) == (5, 5)

    def test_hashes_and_lists_are_copies_that_stay_as_they_are(self, run):
        script = """local tds = require 'tds'
        local h, x = tds.Hash(), torch.zeros(1)
        shared = h
        h.list, h.x, h.word = tds.Vec(1, 2), x, 'a'
        local pool = threads.Threads(1, function() require 'tds' end)
        local list, changed
        pool:addjob(function() h.x:add(1) return h, pcall(function() h.list:insert(3) end) end,
           function(found, ok, err) list, changed = found.list, err end)
        pool:synchronize()
        return #list, list[2], x[1], changed, h.word"""
        count, last, value, changed, word = run(script)
        assert (count, last, value, word) == (2, 2, 1, "a")
        assert "this tds.Vec has been shared with another thread: it cannot be changed any more" in changed
        assert "this tds.Hash has been shared" in message(run, "shared.word = 'b'")
        assert "this tds.Vec has been shared" in message(run, "shared.list[1] = 5")


class TestLowLevel:
    def test_a_thread_that_signals(self, run):
        script = """local m, c = threads.Mutex(), threads.Condition()
        local t = threads.Thread(([[
            local threads = require 'threads'
            threads.Mutex(%d):lock()
            threads.Condition(%d):signal()
            threads.Mutex(%d):unlock()
        ]]):format(m:id(), c:id(), m:id()))
        m:lock()
        c:wait(m)
        t:free() m:unlock() m:free() c:free()
        return true"""
        assert run(script)

    def test_waiting_for_ever(self, run):
        assert "locked already" in message(run, "local m = threads.Mutex() m:lock() m:lock()")
        waiting = "local m = threads.Mutex() m:lock() threads.Condition():wait(m)"
        assert "nobody has signalled" in message(run, waiting)
        assert "this mutex has been freed" in message(run, "local m = threads.Mutex() m:free() m:lock()")
        assert "there is no mutex 12345" in message(run, "threads.Mutex(12345)")

    def test_safe(self, run):
        script = """threads.Threads.serialization('threads.sharedserialize')
        local x = torch.zeros(1)
        local add = threads.safe(function(n) x:add(n) return x[1], n end)
        local pool = threads.Threads(2)
        for i = 1, 3 do pool:addjob(add, nil, 2) end
        pool:synchronize()
        return x[1], select('#', add(1)), x[1]"""
        assert run(script) == (6, 2, 7)

    def test_a_queue(self, run):
        script = """local q = require('threads.queue')(2)
        q:addjob(function(x) return x, x + 1 end, 5) q:addjob(function() return 'b' end)
        local full = q.isfull
        local a, b = q:dojob()
        return a, b, full, q:dojob(), q.isempty"""
        assert run(script) == (5, 6, 1, "b", 1)
        assert "it is empty" in message(run, "require('threads.queue')(1):dojob()")

    def test_serializers(self, run):
        script = """local s = require 'threads.serialize'
        local x = s.load(s.save {a = torch.ones(2), f = function() return 3 end})
        return x.a:sum(), x.f()"""
        assert run(script) == (2, 3)
