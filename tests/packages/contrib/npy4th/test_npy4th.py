"""npy4th: what NumPy wrote, and what it reads."""

from __future__ import annotations

import numpy as np
import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


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
    def test_types(self, folder, dtype, name):
        values = np.arange(6).reshape(2, 3).astype(dtype)
        np.save("a.npy", np.asfortranarray(values))
        found = lua(
            "local x = require('npy4th').loadnpy('a.npy') return x:type() .. ' ' .. x[2][1] .. ' ' .. x[2][3]"
        )
        assert found == f"torch.{name}Tensor {int(values[1, 0])} {int(values[1, 2])}"

    def test_there_and_back(self, folder):
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

    def test_errors(self, folder):
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
