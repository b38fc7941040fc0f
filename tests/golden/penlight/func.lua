local func, tablex, List = require 'pl.func', require 'pl.tablex', require 'pl.List'
local _1, _2, _0, I, bind = func._1, func._2, func._0, func.I, func.bind
show(tostring(_1 + 10), tostring(_1 * (_2 + 1)), tostring((_1 - 1) - (_2 - 3)), tostring(-_1 ^ 2))
show(tostring(func.And(_1 .. 'x', func.Not(_2))), tostring(func.Or(func.Lt(_1, 2), func.Len(_2))), tostring(_1[2].x))
show(tostring(_1(2, _2)), tostring((_1 ^ 2) ^ 3), tostring(_1 ^ (2 ^ _2)), tostring((_1 .. 'a') .. _2))
show(I(_1 + 10)(5), I(_1 * _2 + 1)(2, 3), I(-_1)(4), I(_1 .. '!')('a'), I(_1[2])({5, 6}), I(_1 % 3 / 2)(5))
show(I(func.And(_1, _2))(true, 7), I(func.Not(_1))(nil), I(func.Len(_1))({1, 2}), I(func.Ge(_1, 2))(1), I(func.Le(_1, 2))(1))
show(I(func.Eq(_1, 3))(3), I(func.Gt(_1, _2))(1, 2), I(_1:upper())('x'), I(func.Eq(_1, func.Nil))(nil))
show(tablex.map(_1 + 1, {1, 2}), tablex.filter({1, 2, 3}, func.Gt(_1, 1)), List {1, 2}:map(_1 * 2))
show(List {'a', 'b'}:map(_1:upper()), tablex.map2(_1 .. _2, {'a'}, {'b'}))
local e = _1 + 10
I(e)
show(tostring(e), I(e)(1))
local values = {}
show(func.collect_values(_2 * 3 .. 'x', values), values, func.collect_values(7, values), func.isPE(e), func.isPE(3))
local f = func.register(math.max, 'max')
show(tostring(f(_1, 3)), I(f(_1, 3))(9), func.lookup_imported_name(math.max))
local into = {}
func.import('math', into)
show(tostring(into.floor(_1 / 2)), I(into.floor(_1 / 2))(5), tablex.map(into.abs(_1), {-1, 2}))
failure(func.import, 'no_table_of_this_name')
show(func.tail {1, 2, 3}, func.repr 'x', func.repr(3), func.repr(math.max))
show(I(func.Args(_1, _2, 4))(1, 2))
show(bind(math.max, 10, _1)(20), bind(string.sub, _1, 2, _2)('abcde', 3), bind(show, _2, _1, 'x')(1, 2))
show(bind(math.max, _0)(1, 7, 3), bind(string.format, '%s-%s-%s', _1, _0)('a', 'b', 'c'), bind(math.max, 1, 2)(5))
show(bind(show, nil, _1)('after nil'))
show(func.bind1(math.max, 3)(2), func.curry(string.rep, 'ab')(2))
show(func.compose(tostring, math.abs, tonumber)('-3'))
show(tostring(func.Var 'name'), select('#', func.Var 'a, b c'), tostring(func._0))
x = 30
show(I(func.Var 'x' + _1)(1), I(_1 + func._(func.Nil and 5))(1))
show(_1 == _2, _1 == 3)
