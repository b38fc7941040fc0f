"""class: classes, their parents and their objects."""

from __future__ import annotations

import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


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
