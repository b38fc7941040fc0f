"""matio: what SciPy and h5py wrote, and what they read."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


class TestMatio:
    def test_what_is_read(self, folder):
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

    def test_there_and_back(self, folder):
        lua("""
            local matio = require 'matio'
            matio.save('x.mat', torch.range(1, 6):view(2, 3):t())
            matio.save('y.mat', {a = torch.IntTensor {4, 5}, b = torch.rand(2, 2):float()})
            assert(matio.load('y.mat').a:type() == 'torch.IntTensor')
        """)
        assert np.array_equal(scipy.io.loadmat("x.mat")["x"], np.arange(1, 7).reshape(2, 3).T)
        assert scipy.io.loadmat("y.mat")["a"].tolist() == [[4], [5]]

    def test_of_matlab_7_3(self, folder):
        with h5py.File("b.mat", "w", userblock_size=512) as file:
            file["x"] = np.arange(6.0).reshape(3, 2)  # as MATLAB writes a matrix of 2 rows and 3 columns
            file["x"].attrs["MATLAB_class"] = np.bytes_("double")
        header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
        Path("b.mat").write_bytes(header.ljust(512, b"\0") + Path("b.mat").read_bytes()[512:])
        assert lua("local x = require('matio').load('b.mat', 'x') return x[1][2] * 10 + x[2][3]") == 25

    def test_errors(self, folder):
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
