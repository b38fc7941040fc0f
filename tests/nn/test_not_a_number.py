"""Functions of each element of a NaN and of infinities: what they made in the original, wherever they are computed."""

from __future__ import annotations

import pytest

INPUT = "nan inf -inf 0.15 0.3 7 -3 nan 0"
GRADIENT = "2 nan 2 2 2 2 2 2 nan"
# What nn 8726825 gave: the output and gradInput.
EXPECTED = {
    "nn.ReLU()": ("0 inf 0 0.15 0.3 7 0 0 0", "0 nan 0 2 2 2 0 0 0"),
    "nn.ReLU(true)": ("nan inf 0 0.15 0.3 7 0 nan 0", "2 nan 0 2 2 2 0 2 0"),
    "nn.Threshold(0.2, 0.1)": ("0.1 inf 0.1 0.1 0.3 7 0.1 0.1 0.1", "0 nan 0 0 2 2 0 0 0"),
    "nn.Threshold(0.2, 0.1, true)": ("nan inf 0.1 0.1 0.3 7 0.1 nan 0.1", "2 nan 0 0 2 2 0 2 0"),
    "nn.ReLU6()": ("6 6 0 0.15 0.3 6 0 6 0", "2 0 0 2 2 0 0 2 0"),
    "nn.ReLU6(true)": ("nan 6 0 0.15 0.3 6 0 nan 0", "2 0 0 2 2 0 0 2 0"),
    "nn.HardTanh(-1, 1)": ("1 1 -1 0.15 0.3 1 -1 1 0", "2 0 0 2 2 0 0 2 nan"),
    "nn.HardTanh(-1, 1, true)": ("nan 1 -1 0.15 0.3 1 -1 nan 0", "2 0 0 2 2 0 0 2 nan"),
    "nn.Clamp(-1, 1)": ("1 1 -1 0.15 0.3 1 -1 1 0", "2 0 0 2 2 0 0 2 nan"),
    "nn.HardShrink()": ("0 inf -inf 0 0 7 -3 0 0", "0 nan 2 0 0 2 2 0 0"),
    "nn.SoftShrink()": ("0 inf -inf 0 0 6.5 -2.5 0 0", "0 nan 2 0 0 2 2 0 0"),
}
PLACES = {
    "by itself": "layer",
    "in a model": "nn.Sequential():add(nn.Identity()):add(layer)",
    "in a float model": "nn.Sequential():add(layer):float()",
}


@pytest.mark.one_runtime
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_functions_of_each_element(runtime, place: str) -> None:
    found = runtime.execute(f"""
        require 'nn'
        local function tensor(text, kind)
           local numbers = {{}}
           for word in text:gmatch('%S+') do
              local odd = {{['nan'] = 0/0, ['inf'] = 1/0, ['-inf'] = -1/0}}
              numbers[#numbers + 1] = odd[word] or tonumber(word)
           end
           return torch.Tensor(numbers):view(3, 3):type(kind)
        end
        local function text(t)
           local parts = {{}}
           for i = 1, 9 do
              local v = t:view(-1)[i]
              parts[i] = v ~= v and 'nan' or v == 1/0 and 'inf' or v == -1/0 and '-inf' or ('%.5g'):format(v)
           end
           return table.concat(parts, ' ')
        end
        local found = {{}}
        for _, layer in ipairs{{{", ".join(EXPECTED)}}} do
           local m, seen = {place}, {{}}
           for step = 1, 3 do   -- as the first passes of a model may be computed by others than the later ones
              local x, g = tensor('{INPUT}', m:type()), tensor('{GRADIENT}', m:type())
              local output = text(m:forward(x))
              seen[step] = output .. ' and ' .. text(m:backward(x, g))
           end
           found[#found + 1] = seen[1] == seen[2] and seen[2] == seen[3] and seen[1] or table.concat(seen, ', then ')
        end
        return found
    """)
    expected = [f"{output} and {gradient}" for output, gradient in EXPECTED.values()]
    assert dict(zip(EXPECTED, found, strict=True)) == dict(zip(EXPECTED, expected, strict=True))
