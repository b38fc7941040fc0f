local data, stringio, List = require 'pl.data', require 'pl.stringio', require 'pl.List'
local function read(text, options)
   local d, err = data.read(stringio.open(text), options)
   if not d then show(d, err) return end
   local rows = {}
   for i, row in ipairs(d) do rows[i] = row end
   show(rows, d.fieldnames, d.original_fieldnames, d.delim)
   return d
end
local function all(...)
   local found, err = ...
   if not found then return show(found, (err:gsub(':%d+: .*', ''))) end
   for a, b, c in found do show(a, b, c) end
   print '--'
end
local d = read 'name,mark,year of birth\nann,3.5,1990\nbob,2,1985\n\ncarl,5,1999\n'
all(d:select 'name')
all(d:select 'name,mark where mark > 2')
all(d:select 'mark,name sort by name desc')
all(d:select "name where name ~= 'bob' sort by year_of_birth")
all(d:select '* sort by mark asc')
all(d:select 'name,none')
all(d:select 'name sort by none')
all(d:select 'name where +')
all(d:select {fields = 'name,mark', where = 'mark == 2'})
all(d:select {fields = {'name'}, where = function(row) return row[2] > 2 end, sort_by = 'mark desc'})
all(d:select(3))
all(d:select('name where longer(name, 3)', {{longer = function(s, n) return #s > n end}}))
all(d:select_row 'name,mark where mark < 5')
show(d:column_by_name 'mark', d:column_by_name 'name', d:column_names())
local c = d:copy_select 'name,mark where mark > 2'
show(#c, c[1], c[2], c.fieldnames, c.delim)
show(d:size())
show(d:column(1))
local f = stringio.create()
d:write(f)
d:write_row(f, {'dave', 1, 2})
show(f:value())
f = stringio.create()
show(data.write({{1, 'x'}, {2.5, true}}, f), data.write({{1, 2}}, f, {'a', 'b'}, ';'))
show(f:value(), data.write({}, {}))

d = read '10 20\n2 5\n40 50'
all(d:select '$2,$1 where $1 > 5 sort by $2 desc')
all(d:select '*')
show(d:column_by_name(2))
read '10 20\n 2 5'
read '  1  2\n  3  4'
read 'x\ty\n1\ta'
read('a,b\n1,"x, y"\n"2",\n', {csv = true})
read('a,b\n1,"x, y"\n', {})
read('a;b\n1.000;2\n', {thousands_dot = true})
read('1,2\n3,x')
read('a,b\n1,2\n3,x')
read('a,b\n1,2\n3,4', {no_convert = true})
read('a,b\n1,2\n3,4', {fieldnames = 'x,y'})
read('1,2\n3,4', {fieldnames = {'x', 'y'}})
read('a b\n1 some more words\n', {last_field_collect = true})
read('a,b\nx,2\n', {convert = {string.upper}})
read('a,b\nx,2\n', {numfields = {1}})
read('a,b\n1,2\n', {delim = 'b', no_convert = true})
read ''
show(data.read {})
show(data.read 'no such file')
local n = data.new({{1, 2}, {3, 4}}, 'p,q r')
show(n.fieldnames, n.original_fieldnames, n.delim)
all(n:select 'q_r where p == 3')
n = data.new {{1, 2}, fieldnames = List {'u', 'v'}}
all(n:select 'u,v')
f = stringio.create()
show(data.filter('a where b > 1', stringio.open 'a,b\n1,1\n2,2\n3,3\n', f), f:value())
show(data.filter('zz', stringio.open 'a,b\n1,1\n', f, true))
