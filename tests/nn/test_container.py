"""What the constructors of containers take, in Lua."""

from __future__ import annotations

import pytest

from tests.inner_runtime import InnerRuntime as Runtime


@pytest.mark.parametrize("name", ["Container", "Sequential", "ConcatTable", "ParallelTable"])
def test_what_a_constructor_is_given_is_disregarded(name: str) -> None:
    """Torch7's take nothing: neither a number nor modules."""
    with Runtime() as rt:
        assert rt.execute(f"require 'nn' return #nn.{name}(2).modules, #nn.{name}(nn.Tanh()).modules") == (
            0,
            0,
        )


def test_nor_what_a_class_of_the_programs_own_hands_on() -> None:
    with Runtime() as rt:
        assert (
            rt.execute("""
                require 'nn'
                local Pair, parent = torch.class('nn.Pair', 'nn.ConcatTable')
                function Pair:__init(a, b) parent.__init(self, a, b) self:add(a):add(b) end
                return #nn.Pair(nn.Tanh(), nn.Identity()).modules
            """)
            == 2
        )
