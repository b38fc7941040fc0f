"""hdf5: files beside what h5py sees in them and makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def execute():
    with Runtime() as runtime:
        runtime.execute("require 'hdf5'")
        yield runtime.execute


@pytest.fixture
def run(execute, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return execute


def message(run, source: str) -> str:
    with pytest.raises(LuaError) as caught:
        run(source)
    return str(caught.value)


TYPES = {
    "Byte": "u1",
    "Char": "i1",
    "Short": "<i2",
    "Int": "<i4",
    "Long": "<i8",
    "Float": "<f4",
    "Double": "<f8",
}


@pytest.mark.parametrize("name", TYPES)
def test_types(run, name):
    back = "Byte" if name == "Char" else name
    script = f"""local f = hdf5.open('x.h5', 'w')
    local x = torch.range(1, 12):view(3, 4):type('torch.{name}Tensor')
    f:write('/x', x:t()) f:close()
    f = hdf5.open('x.h5', 'r')
    local y = f:read('/x'):all() f:close()
    return y:type(), y:dim(), y[4][2]"""
    assert run(script) == (f"torch.{back}Tensor", 2, 8)
    with h5py.File("x.h5") as file:
        assert file["x"].dtype == np.dtype(TYPES[name])
        assert file["x"][()].tolist() == np.arange(1, 13).reshape(3, 4).T.tolist()
        assert file["x"].chunks is None


def test_the_bits_of_other_integers(run):
    """The original reads any integer as the tensor of its size."""
    with h5py.File("x.h5", "w") as file:
        file["a"] = np.array([-1, 5], dtype="i1")
        file["b"] = np.array([65535, 5], dtype=">u2")
        file["c"] = np.array([1.5], dtype=">f8")
    script = """local f = hdf5.open('x.h5', 'r') local all = f:all() f:close()
    return all.a[1], all.a:type(), all.b[1], all.b[2], all.b:type(), all.c[1]"""
    assert run(script) == (255, "torch.ByteTensor", -1, 5, "torch.ShortTensor", 1.5)


def test_tables(run):
    script = """local f = hdf5.open('x.h5', 'w')
    f:write('/', {a = torch.ones(2), b = {c = torch.zeros(1)}})
    f:write('deep/er', {d = torch.ones(1), [5] = torch.ones(1)})
    f:write('deep/x', torch.ones(3))
    f:close()
    f = hdf5.open('x.h5')
    local all = f:all()
    f:write('later', torch.ones(1))
    local names = {}
    for name in pairs(f:read('/')._children) do names[#names + 1] = name end
    f:close()
    return all.a:sum(), all.b.c:sum(), all.deep.er.d[1], all.deep.er['5'][1], all.deep.x:size(1),
           table.concat(names, ' ')"""
    assert run(script) == (2, 0, 1, 1, 3, "a b deep later")
    with h5py.File("x.h5") as file:
        assert set(file) == {"a", "b", "deep", "later"}


def test_objects(run):
    script = """local f = hdf5.open('x.h5', 'w')
    f:write('g/x', torch.range(1, 6):view(2, 3))
    local x, g = f:read('g/x'), f:read('g')
    local size, factory = x:dataspaceSize(), x:getTensorFactory()
    local made = g:createChild('h')
    return torch.type(f), torch.type(g), torch.type(x), size[2], factory():type(), g:getOrCreateChild('h') == made,
           g:read({'x'}) == x, f:read():all().g.x:sum(), f:filename():match('[^/]*$'), f:close()"""
    found = run(script)
    assert found[:4] == ("hdf5.HDF5File", "hdf5.HDF5Group", "hdf5.HDF5DataSet", 3)
    assert found[4:] == ("torch.DoubleTensor", True, True, 21, "x.h5")


def test_partial(run):
    script = """local f = hdf5.open('x.h5', 'w')
    f:write('x', torch.range(1, 24):view(2, 3, 4))
    local part = f:read('x'):partial({1, 2}, {2, 3}, 4)
    f:close()
    return part"""
    assert run(script).tolist() == [[[8.0], [12.0]], [[20.0], [24.0]]]


def test_append_and_options(run):
    script = """local f, options = hdf5.open('x.h5', 'w'), hdf5.DataSetOptions()
    options:setChunked(4, 32):setDeflate(9)
    f:write('x', torch.ones(2, 3), options)
    for i = 2, 3 do f:append('x', torch.ones(i, 3):mul(i)) end
    local all = f:read('x'):all()
    f:close()
    return all, tostring(options)"""
    made, text = run(script)
    assert made[:, 0].tolist() == [1, 1, 2, 2, 3, 3, 3]
    assert text == "[DataSetOptions: chunking=2x3]"
    with h5py.File("x.h5") as file:
        assert (file["x"].chunks, file["x"].maxshape) == ((2, 3), (None, 3))
        assert (file["x"].compression, file["x"].compression_opts) == ("gzip", 9)


def test_modes(run):
    run("local f = hdf5.open('x.h5') f:write('a', torch.ones(1)) f:close()")
    run("local f = hdf5.open('x.h5', 'a') f:write('b', torch.ones(1)) f:close()")
    assert run("local f = hdf5.open('x.h5', 'r') local n = f:all() f:close() return n.a[1] + n.b[1]") == 2
    run("local f = hdf5.open('x.h5', 'w') f:close()")
    with h5py.File("x.h5") as file:
        assert list(file) == []
    assert "cannot open" in message(run, "hdf5.open('x.h5', 'w-')")
    missing = message(run, "hdf5.open('no.h5', 'r')")
    assert missing.endswith("/no.h5 in mode 'r': No such file or directory")
    assert "no such directory" in message(run, "hdf5.open('no/x.h5', 'w')")
    assert "Unknown mode 'x'" in message(run, "hdf5.open('x.h5', 'x')")


def test_what_is_written_is_in_the_file_at_once(run):
    run("f = hdf5.open('x.h5', 'w') f:write('a', torch.ones(2))")
    data = Path("x.h5").read_bytes()
    run("f:close()")
    Path("y.h5").write_bytes(data)
    with h5py.File("y.h5") as file:
        assert file["a"][()].tolist() == [1, 1]


def test_in_a_thread(run):
    script = """local f, sum = hdf5.open('x.h5', 'w'), nil
    f:write('a', torch.ones(3))
    local pool = require('threads').Threads(1, function() require 'hdf5' end)
    pool:addjob(function() return f:read('a'):all():sum() end, function(x) sum = x end)
    pool:synchronize()
    f:close()
    return sum"""
    assert run(script) == 3


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("f:write('x', 5)", "requires a tensor or table as its second parameter"),
        ("f:write('x', {y = 'text'})", "torch-hdf5: writing data of type string is not supported"),
        ("f:write('x', torch.LongStorage(2))", "torch-hdf5: writing non-Tensor userdata is not supported"),
        ("f:write('/', torch.ones(2))", "must provide a table when writing to the root"),
        ("f:write('a', torch.ones(2))", "Error writing data /a"),
        ("f:write('a/b', torch.ones(2))", "/a is no group"),
        ("f:write('x', torch.Tensor())", "an empty tensor cannot be written"),
        ("f:read('b')", "no such child 'b' for [HDF5Group /]"),
        ("f:append('b', torch.ones(2))", "there is no /b"),
        ("f:append('a', torch.ones(2))", "Error extending data /a"),
        ("f:read('a'):partial(1, 1)", "dimension mismatch. Expected 1 but 2 were given."),
        ("f:read('a'):partial({2, 3})", "2 to 3 is no range of 2 elements"),
        (
            "f:write('x', torch.ones(2), hdf5.DataSetOptions():setChunked(2, 2))",
            "Chunk size has 2 dimensions; data has 1",
        ),
        (
            "f:write('x', torch.ones(2), hdf5.DataSetOptions():setDeflate())",
            "only a chunked dataset can be deflated",
        ),
        ("f:close() f:read('a'):all()", "this HDF5 file has been closed"),
        ("hdf5.open()", "a file name expected, got nil"),
    ],
)
def test_errors(run, source, says):
    run("f = hdf5.open('x.h5', 'w') f:write('a', torch.ones(2))")
    text = message(run, f"\nlocal x = {source}" if source[0] == "h" else f"\n{source}")
    assert text.startswith("python:2: ")
    assert says in text
    run("pcall(f.close, f)")


def test_what_cannot_be_read(run):
    with h5py.File("x.h5", "w") as file:
        file["text"] = "abc"
        file["half"] = np.zeros(2, dtype=np.float16)
        file["scalar"] = 3.0
        file["flag"] = np.array([True])
    run("f = hdf5.open('x.h5', 'r')")
    assert "Reading data of class STRING is unsupported" in message(run, "f:read('text'):all()")
    assert "Cannot support reading float data with size = 2 bytes" in message(run, "f:read('half'):all()")
    assert "without dimensions" in message(run, "f:read('scalar'):all()")
    assert "Reading data of class ENUM is unsupported" in message(run, "f:read('flag'):all()")
    run("f:close()")
