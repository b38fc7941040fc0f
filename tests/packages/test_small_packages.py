"""mnist, npy4th, socket, display, iterm, visdom, vector, nccl, fbtorch, tbc, lua-utf8 and cjson.util."""

from __future__ import annotations

import gzip
import struct
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNIST_DIR", raising=False)
    return tmp_path


def lua(text: str) -> Any:
    with Runtime() as runtime:
        return runtime.execute(text)


class TestMnist:
    def write(self, folder: Path, which: str, values: np.ndarray, packed: bool = False) -> None:
        folder.mkdir(exist_ok=True)
        kind = "images-idx3" if values.ndim == 3 else "labels-idx1"
        data = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}i", *values.shape)
        data += values.astype(np.uint8).tobytes()
        name = f"{which}-{kind}-ubyte"
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)

    def test_both_sets(self, place, monkeypatch):
        images = np.arange(3 * 28 * 28).reshape(3, 28, 28) % 251
        self.write(place / "mnist", "train", images)
        self.write(place / "mnist", "train", np.array([7, 0, 9]))
        self.write(place / "other", "t10k", images[:1], packed=True)
        self.write(place / "other", "t10k", np.array([4]), packed=True)
        ask = """
            local set = require('mnist').%sdataset()
            local x = set.data
            assert(torch.type(x) == 'torch.ByteTensor' and x:size(2) == 28 and x:size(3) == 28)
            assert(set.size == x:size(1))
            assert(not pcall(function() return set[set.size + 1] end))
            local last = set[set.size]
            last.x[1][1] = 77
            assert(x[set.size][1][1] == 77 and last.y == set.label[set.size])
            return ('%%d %%d %%d'):format(last.x[2][3], x:size(1), set.label[1])
        """
        assert lua(ask % "train") == f"{images[2, 1, 2]} 3 7"
        monkeypatch.setenv("MNIST_DIR", str(place / "other"))
        assert lua(ask % "test") == f"{images[0, 1, 2]} 1 4"

    def test_files_that_are_not_there_or_not_whole(self, place):
        with pytest.raises(LuaError, match="there is no file train-images-idx3-ubyte"):
            lua("require('mnist').traindataset()")
        self.write(place / "mnist", "train", np.zeros((2, 28, 28)))
        file = place / "mnist" / "train-images-idx3-ubyte"
        file.write_bytes(file.read_bytes()[:-1])
        with pytest.raises(LuaError, match="or it is not whole"):
            lua("require('mnist').traindataset()")


class TestNpy4th:
    @pytest.mark.parametrize(
        ("dtype", "name"),
        [
            *(
                ("<f8", "Double"),
                (">f4", "Float"),
                ("u1", "Byte"),
                ("i1", "Char"),
                ("<i2", "Short"),
                ("<i4", "Int"),
            ),
            *((">i8", "Long"), ("?", "Byte"), ("<u2", "Int"), ("<u4", "Long")),
        ],
    )
    def test_types(self, place, dtype, name):
        values = np.arange(6).reshape(2, 3).astype(dtype)
        np.save("a.npy", np.asfortranarray(values))
        found = lua(
            "local x = require('npy4th').loadnpy('a.npy') return x:type() .. ' ' .. x[2][1] .. ' ' .. x[2][3]"
        )
        assert found == f"torch.{name}Tensor {int(values[1, 0])} {int(values[1, 2])}"

    def test_there_and_back(self, place):
        lua("""
            local npy4th = require 'npy4th'
            local x = torch.range(1, 12):view(3, 4)
            npy4th.savenpy('x.npy', x:t())
            npy4th.savenpz('x.npz', {a = x, b = torch.IntTensor {7}})
            local all = npy4th.loadnpz('x.npz')
            assert(all.a:equal(x) and all.b[1] == 7 and npy4th.loadnpy('x.npy'):equal(x:t()))
        """)
        assert np.array_equal(np.load("x.npy"), np.arange(1, 13).reshape(3, 4).T)
        with np.load("x.npz") as found:
            assert found["b"].dtype == np.int32

    def test_errors(self, place):
        np.save("text.npy", np.array(["a"]))
        np.save("large.npy", np.array([1 << 63], dtype=np.uint64))
        for name, message in (
            ("text", "of which there are no tensors"),
            ("large", "that no tensor holds"),
            ("none", "cannot read none.npy"),
        ):
            with pytest.raises(LuaError, match=message):
                lua(f"require('npy4th').loadnpy('{name}.npy')")
        with pytest.raises(LuaError, match="a tensor expected"):
            lua("require('npy4th').savenpy('a.npy', 3)")


class TestMatio:
    def test_what_is_read(self, place):
        cell = np.empty((1, 2), dtype=object)
        cell[0, 0], cell[0, 1] = np.array([[1.5]]), "ab"
        values = {
            "d": np.arange(6.0).reshape(2, 3),
            "f": np.ones((1, 2), np.float32),
            "i": np.array([[1, -2]], np.int32),
            "u": np.array([[200]], np.uint8),
            "cube": np.arange(24).reshape(2, 3, 4).astype(np.int16),
            "text": "hello",
            "cell": cell,
            "s": {"a": np.array([[7.0]]), "name": "x"},
        }
        scipy.io.savemat("a.mat", values)
        assert (
            lua("""
            local matio = require 'matio'
            local all = matio.load('a.mat')
            assert(all.d:type() == 'torch.DoubleTensor' and all.d[2][1] == 3 and all.d:size(2) == 3)
            assert(all.f:type() == 'torch.FloatTensor' and all.i:type() == 'torch.IntTensor' and all.i[1][2] == -2)
            assert(all.u:type() == 'torch.ByteTensor' and all.u[1][1] == 200)
            assert(all.cube:type() == 'torch.ShortTensor' and all.cube[2][3][4] == 23 and all.cube[1][2][3] == 6)
            assert(all.text:type() == 'torch.CharTensor' and all.text[1][1] == ('h'):byte())
            assert(all.cell[1][1][1] == 1.5 and all.s.a[1][1] == 7)
            matio.use_lua_strings = true
            assert(matio.load('a.mat', 'text') == 'hello' and matio.load('a.mat', {'s', 'd'}).s.name == 'x')
            return matio.load('a.mat', {'d'}).f == nil and matio.load('a.mat', 'd')[1][3]
        """)
            == 2
        )

    def test_there_and_back(self, place):
        lua("""
            local matio = require 'matio'
            matio.save('x.mat', torch.range(1, 6):view(2, 3):t())
            matio.save('y.mat', {a = torch.IntTensor {4, 5}, b = torch.rand(2, 2):float()})
            assert(matio.load('y.mat').a:type() == 'torch.IntTensor')
        """)
        assert np.array_equal(scipy.io.loadmat("x.mat")["x"], np.arange(1, 7).reshape(2, 3).T)
        assert scipy.io.loadmat("y.mat")["a"].tolist() == [[4], [5]]

    def test_of_matlab_7_3(self, place):
        with h5py.File("b.mat", "w", userblock_size=512) as file:
            file["x"] = np.arange(6.0).reshape(3, 2)  # as MATLAB writes a matrix of 2 rows and 3 columns
            file["x"].attrs["MATLAB_class"] = np.bytes_("double")
        header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
        Path("b.mat").write_bytes(header.ljust(512, b"\0") + Path("b.mat").read_bytes()[512:])
        assert lua("local x = require('matio').load('b.mat', 'x') return x[1][2] * 10 + x[2][3]") == 25

    def test_errors(self, place):
        scipy.io.savemat("a.mat", {"z": np.array([[1j]]), "x": np.zeros((1, 1))})
        for call, message in (
            ("load('a.mat', 'y')", "there is no variable y in a.mat"),
            ("load('a.mat')", "z holds complex numbers"),
            ("load('none.mat')", "cannot read none.mat"),
            ("save('b.mat', {a = {}})", "a is no tensor, number or string"),
            ("save('b.mat', 3)", "expected"),
        ):
            with pytest.raises(LuaError, match=message):
                lua(f"require('matio').{call}")


def test_socket_tells_the_time():
    assert abs(lua("return require('socket').gettime()") - time.time()) < 60
    with pytest.raises(LuaError, match="there are no connections here"):
        lua("require('socket').connect('localhost', 80)")


def test_display_shows_nothing_and_says_so_once(capfd):
    assert lua("""
        local disp = require 'display'
        disp.configure {port = 8000}
        local first = disp.image(torch.rand(3, 8, 8), {title = 'x'})
        assert(disp.images({torch.rand(8, 8)}, {win = first}) == first)
        disp.plot({{1, 2}, {2, 3}}, {labels = {'a', 'b'}})
        return first
    """)
    assert capfd.readouterr().err.count("nothing is shown") == 1
    with pytest.raises(LuaError, match="an image has 2 or 3 dimensions, several have 4, not 1"):
        lua("require('display').image(torch.rand(3))")


def test_visdom_shows_nothing_and_says_so_once(capfd):
    assert lua("""
        local plot = require 'visdom' {server = 'http://localhost', port = 8097}
        local window = plot:line {Y = torch.rand(3)}
        assert(plot:image {img = torch.rand(3, 8, 8), win = window} == window and plot:text {text = 'a'} ~= window)
        return torch.type(plot), plot.port, plot:check_connection()
    """) == ("visdom.client", 8097, False)
    assert capfd.readouterr().err.count("nothing is shown") == 1


def test_iterm_shows_nothing_and_says_so_once(capfd, tmp_path):
    path = tmp_path / "g.svg"
    lua(f"""
        require 'iterm.dot'
        require 'optnet.graphgen'
        local iterm, g = require 'iterm', graph.Graph()
        g:add(graph.Edge(graph.Node('a'), graph.Node('b')))
        iterm.image(torch.rand(3, 8, 8))
        iterm.dot(g, {str(path)!r})
    """)
    assert capfd.readouterr().err.count("nothing is shown") == 1
    assert "svg" in path.read_text()
    with pytest.raises(LuaError, match="a file name expected, not a number"):
        lua("require('iterm').display(1)")


class TestVector:
    def test_numbers(self):
        assert lua("""
            local v, block = require('vector').tensor.new_int(), torch.IntTensor {{1, 2}, {3, 4}}
            v[1] = 7
            v[#v + 1] = 8
            v:insertTensor(block)
            v[#v + 1] = -5
            local sum = 0
            for i, value in pairs(v) do sum = sum + i * value end
            local all = v:getTensor()
            v:resize(3)
            return sum, all:size(1), v:sum(), #v, block:dim(), torch.type(v)
        """) == (7 + 16 + 3 + 8 + 15 + 24 - 35, 7, 16, 3, 1, "IntVector")

    def test_tensors_and_strings(self):
        assert lua("""
            local vector, tds, shapes = require 'vector', require 'tds', {}
            local a, s, h = vector.atomic.new_float(), vector.string.new(), tds.Hash()
            a[1] = torch.FloatTensor {1, 2}
            a[2] = torch.FloatTensor()
            a[3] = torch.FloatTensor(2, 1, 3):fill(4)
            for i, text in ipairs {'lorem', '', 'a\\0\\255'} do s[i] = text end
            h.a, h.s = a, s
            local read = torch.deserialize(torch.serialize(h))
            read.a[4], read.s[4] = a[1], 'more'
            for i, t in pairs(read.a) do shapes[i] = t:dim() .. ':' .. (t:dim() > 0 and t:sum() or 0) end
            assert(#a == 3 and s:len() == 3 and read.s[3] == s[3] and s[3]:byte(3) == 255 and read.s[2] == '')
            return table.concat(shapes, ' '), read.s[4], #read.s
        """) == ("1:3 0:0 3:24 1:3", "more", 4)

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("local v = vector.tensor.new_long() return v[1]", "index out of bounds"),
            ("vector.tensor.new_long().x = 1", "a vector has no fields"),
            ("vector.tensor.new_long():insertTensor(torch.Tensor(1))", "torch.LongTensor expected"),
            ("vector.string.new()[2] = 'a'", "only sequential writing"),
            ("vector.atomic.new_int()[1] = torch.Tensor(1)", "can only insert IntTensor elements"),
        ],
    )
    def test_errors(self, code, said):
        with pytest.raises(LuaError, match=said):
            lua(f"local vector = require 'vector' {code}")


def test_nccl():
    assert Runtime(cuda_as="cpu").execute("""
        local nccl = require 'nccl'
        local function t(...) return torch.CudaTensor {...} end
        local a, b, all, parts = t(1, 2), t(10, 20), {t(0, 0, 0, 0), t(0, 0, 0, 0)}, {t(0, 0), t(0, 0)}
        nccl.allGather({a, b}, all)
        nccl.reduceScatter(all, parts)
        nccl.allReduce({a, b})
        local sums = a:sum() .. ' ' .. b:sum()
        b:fill(1)
        nccl.bcast({a, b}, true, 2)
        nccl.reduce({a, b}, nil, true)
        return sums, a:sum(), b:sum(), all[2]:sum(), parts[2]:sum(), pcall(nccl.bcast, {a, t(1)})
    """)[:6] == ("33 33", 4, 2, 33, 60, False)


def test_fbtorch_runs_a_module_once_more(place):
    (place / "counted.lua").write_text("count = (count or 0) + 1 return {count = count}")
    made = "local torch = require 'fbtorch' require 'counted' local m = torch.reload 'counted'"
    assert lua(f"{made} return m.count, require('counted') == m, torch.Tensor(2):nElement()") == (2, True, 2)


def test_tbc_is_a_convolution_with_the_time_first():
    assert (
        lua("""
        require 'tbc'
        local x, worst = torch.randn(6, 2, 4), 0
        local function differ(a, b) worst = math.max(worst, (a - b):abs():max()) end
        for pad = 0, 2 do
           local m, plain = nn.TemporalConvolutionTBC(4, 3, 3, pad), nn.TemporalConvolution(4, 3, 3)
           plain.weight:copy(m.weight:permute(3, 1, 2):contiguous():view(3, 12))
           plain.bias:copy(m.bias)
           local net = nn.Sequential():add(nn.Padding(2, -pad)):add(nn.Padding(2, pad)):add(plain)
           local batch_first = x:transpose(1, 2):contiguous()
           differ(m:forward(x), net:forward(batch_first):transpose(1, 2))
           local g = torch.randn(m.output:size())
           m:zeroGradParameters()
           net:zeroGradParameters()
           differ(m:backward(x, g, 2), net:backward(batch_first, g:transpose(1, 2):contiguous(), 2):transpose(1, 2))
           differ(m.gradWeight, plain.gradWeight:view(3, 3, 4):permute(2, 3, 1))
           differ(m.gradBias, plain.gradBias)
        end
        return worst
    """)
        < 1e-13
    )
    with pytest.raises(LuaError, match="is shorter than the window of 3"):
        lua("require 'tbc' nn.TemporalConvolutionTBC(4, 3, 3):forward(torch.ones(2, 2, 4))")


class TestUtf8:
    """Beside Python's strings."""

    # the first and last characters of each length
    @settings(max_examples=20)
    @given(
        st.text("a\0\x7f\x80\u07ff\u0800\u20ac\uffff\U00010000\U0010ffff", max_size=6),
        st.integers(-8, 8),
        st.integers(-8, 8),
    )
    def test_of_characters(self, text, i, j):
        n = len(text)
        first = max(n + i + 1, 1) if i < 0 else max(i, 1)
        last = n + j + 1 if j < 0 else min(j, n)
        found = run_utf8(text, i, j)
        assert found[0] == n
        assert found[1] == text[first - 1 : max(last, 0)]
        assert found[2] == text[::-1]
        assert found[3] == [ord(c) for c in text]
        assert found[4] == text

    def test_places(self):
        assert lua("""
            local utf8 = require 'lua-utf8'
            local s = 'aé€𝄞z'
            assert(utf8.char(97, 233, 8364, 0x1D11E) == 'aé€𝄞' and utf8.offset(s, 3) == 4 and utf8.offset(s, -1) == 11)
            local places = {}
            for place, code in utf8.next, 'aé€z' do places[#places + 1] = place .. ':' .. code end
            assert(table.concat(places, ' ') == '1:97 2:233 4:8364 7:122')
            assert(utf8.next('aé€z', 7, -1) == 4 and utf8.next('aé€z', -4) == 7)
            assert(utf8.next('aé€z', 7) == nil and utf8.next('') == nil and utf8.next('aé', 0, 2) == 2)
            assert(utf8.offset(s, 0, 9) == 7 and utf8.codepoint(s, 4) == 8364 and select('#', utf8.byte(s, 2, -1)) == 4)
            assert(utf8.insert(s, 2, 'ß') == 'aßé€𝄞z' and utf8.remove(s, 2, 3) == 'a𝄞z' and utf8.remove(s) == 'aé€𝄞')
            assert(utf8.find('abc', 'b') == 2 and utf8.upper('ab') == 'AB')
            local ok, at = utf8.len('a\\255')
            assert(ok == nil and at == 2 and not utf8.isvalid('\\192\\128') and not utf8.isvalid('\\237\\160\\128'))
            local t = {}
            for c in utf8.gmatch(s, utf8.charpattern) do t[#t + 1] = c end
            for place, code in utf8.codes(s) do t[#t + 1] = place .. ':' .. code end
            return table.concat(t, ' ')
        """) == "a é € 𝄞 z 1:97 2:233 4:8364 7:119070 11:122".encode().decode("latin1")
        assert (
            lua("""
            local utf8 = require 'lua-utf8'
            local s, t = 'aé€z', {}
            for place, code in utf8.next, s do t[#t + 1] = place .. ':' .. code end
            local function add(...) t[#t + 1] = table.concat({...}, ':') end
            add(utf8.next(s, 1, 2)) add(utf8.next(s, -1, -1)) add(utf8.next(s, 2, 0))
            add(utf8.next(s, 1, 4), utf8.next(s, 7)) add(utf8.charpos(s)) add(utf8.charpos(s, 3))
            add(utf8.charpos(s, -2)) add(utf8.charpos(s, 2, 1)) add(utf8.charpos(s, 5))
            return table.concat(t, ' ')
        """)
            == "1:97 2:233 4:8364 7:122 4:8364 4:8364 2:233  1:97 4:8364 4:8364 4:8364 "
        )
        with pytest.raises(LuaError, match="is not supported"):
            lua("require('lua-utf8').upper('é')")
        with pytest.raises(LuaError, match="invalid UTF-8 code"):
            lua("require('lua-utf8').sub('\\255', 1)")


_RUNTIME = None


def run_utf8(text: str, i: int, j: int) -> list[Any]:
    """Length, a part, the reverse, the codes, and the text made of them, of one runtime for all examples."""
    global _RUNTIME
    if _RUNTIME is None:
        _RUNTIME = Runtime()
        _RUNTIME.execute("utf8 = require 'lua-utf8'")
    runtime = _RUNTIME
    runtime.globals["s"] = text.encode().decode("latin1")

    def decoded(code: str) -> str:
        found = runtime.execute(f"return {code}")
        return str(found).encode("latin1").decode()

    codes = runtime.execute(
        "local t = {} for _, c in utf8.codes(s) do t[#t + 1] = c end return table.concat(t, ' ')"
    )
    back = decoded("utf8.char(utf8.byte(s, 1, -1))")
    return [
        runtime.execute("return utf8.len(s)"),
        decoded(f"utf8.sub(s, {i}, {j})"),
        decoded("utf8.reverse(s)"),
        [int(c) for c in codes.split()],
        back,
    ]


def test_class():
    assert lua("""
        local class = require 'class'
        local Animal = class('Animal')
        function Animal:__init(name) self.name = name end
        function Animal:speak() return self.name .. self:sound() end
        function Animal.sound() return ' is silent' end
        local Dog, parent = class.new('Dog', 'Animal')
        function Dog.sound() return ' barks' end
        local Puppy, dog = class('Puppy', 'Dog')
        function Puppy:__init(name)
           parent.__init(self, 'little ' .. name)
           self.young = true
        end
        local a, d, p = Animal('Al'), Dog.new('Rex'), Puppy('Max')
        assert(a:speak() == 'Al is silent' and d:speak() == 'Rex barks' and p:speak() == 'little Max barks')
        assert(class.type(p) == 'Puppy' and class.type(3) == 'number' and class.type({}) == 'table')
        assert(class.istype(p, 'Animal') and not class.istype(a, 'Dog') and class.istype({}, 'table'))
        assert(class.istype('x', 'string') and not class.istype(3, 'Dog') and not class.istype({}, 'Dog'))
        local made = class.factory('Dog')
        assert(made.name == nil and getmetatable(made) == class.metatable('Dog') and dog == class.metatable('Dog'))
        local makes = class.constructor(class.metatable('Dog'), function() return 'made' end)
        return makes() == 'made' and makes.sound() == ' barks'
    """)
    for call, message in (
        ("class('A') class('A')", "class <A> already exists"),
        ("class('A', 'B')", "parent class <B> does not exist"),
        ("class.factory('A')", "unknown class <A>"),
        ("class(3)", "the name of a class expected, got a number"),
    ):
        with pytest.raises(LuaError, match=message):
            lua(f"local class = require 'class' {call}")


def test_cjson_util(place):
    assert (
        lua("""
        local util = require 'cjson.util'
        util.file_save('a.txt', 'one\\ntwo')
        assert(util.file_load('a.txt') == 'one\\ntwo')
        assert(util.compare_values({1, {a = 2}}, {1, {a = 2}}) and not util.compare_values({1}, {1, 2}))
        assert(util.compare_values(0 / 0, 0 / 0) and util.is_array {1, 2} == 2 and util.is_array {a = 1} == -1)
        return util.serialise_value({1, {a = 'b'}})
    """)
        == '{\n    1,\n    {\n        ["a"] = "b"\n    }\n}'
    )
    with pytest.raises(LuaError, match=r"cjson\.util: none\.txt: No such file"):
        lua("require('cjson.util').file_load('none.txt')")
