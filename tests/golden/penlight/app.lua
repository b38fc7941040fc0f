local app = require 'pl.app'
local utils = require 'pl.utils'
local function try(line, ...) show(app.parse_args(utils.split(line), ...)) end
try 'one two'
try '-a -b file'
try '-abc --long --key=value --key2:3 x'
try '-n5 -k=2 -m:3 -o10'
try('-o out --name me -v last', {o = true, name = true})
try('-o out --name me -v last', {'o', 'name'})
try('-o', {'o'})
try('-o -v', {'o'})
try('-a=1=2 --b=c=d --e=')
try('-x1y')
try('-l --old:hello --value world param1', {'value', 'new'}, {long = 'l', new = {'n', 'old'}})
try('-n hello --value 3', {'value', 'new'}, {long = 'l', new = {'n', 'old'}})
try('-z', nil, {'a'})
try('-az', nil, {'a', 'b'})
try('-ab --c', nil, {'a', 'b', 'c'})
try('--zeta', nil, {'a'})
try('--a -', {}, {a = true})
try('--alpha 1', {'alpha'}, {'b'})
try('-1 x')
arg = {[0] = 'some/where/program.lua', 'x', '-y'}
show(app.parse_args())
show(app.script_name())
arg = nil
show(app.script_name())
show(app.lua())
arg = {[-2] = 'luajit', [-1] = '-e', [0] = 'x.lua'}
show(app.lua())
show(jit and app.platform() or 'Linux')   -- plain Lua here has no io.popen
local path, cpath = package.path, package.cpath
arg = {[0] = '/some/where/./program.lua'}
show(app.require_here(), app.require_here 'lib', app.require_here '/else')
show(package.path:sub(1, -1 - #path), package.cpath:sub(1, -1 - #cpath))
