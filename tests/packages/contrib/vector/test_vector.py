"""vector: lists of numbers, tensors and strings."""

from __future__ import annotations

import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


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
