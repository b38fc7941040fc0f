local MultiMap, Map = require 'pl.MultiMap', require 'pl.Map'
local m = MultiMap()
m:set('john', 1)
m:set('jane', 3)
m:set('john', 2)
show(m, m:get 'john', m.jane)
m:set('jane', nil)
show(m, m:len(), m:keys(), m:values())
show(MultiMap {a = {1, 2}, b = {'x'}})
m = MultiMap {a = {1}}
m:update {b = {2, 3}}
m:update(Map {c = 4})
m:set('a', 5)
show(m, MultiMap:class_of(m), Map:class_of(m), m:is_a(Map), m:items())
show(MultiMap {a = {1}} == MultiMap {a = {1}}, tostring(MultiMap {a = {1}}))
failure(m.update, m, 3)
