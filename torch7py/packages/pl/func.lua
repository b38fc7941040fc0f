-- pl.func: functions from expressions with placeholders: _1 + 1 is an expression, I(_1 + 1) adds one. Functions that
-- take a function take an expression too.
--
-- An expression is a table: `op` ('X' for a placeholder), its operands in order, and for a placeholder `repr` and
-- `index`, which is 0 for a name and 'wrap' for a constant. Arguments: core, host, func. The packages pl.utils and
-- pl.tablex are loaded before.

local _, _, func = ...
local utils, tablex = require 'pl.utils', require 'pl.tablex'
local rawget, getmetatable, setmetatable = rawget, getmetatable, setmetatable

local Expression = {}

function func.PE(t) return setmetatable(t, Expression) end
function func.isPE(x) return getmetatable(x) == Expression end
local expression, is_expression = func.PE, func.isPE

local function leaf(text, index) return expression {op = 'X', repr = text, index = index} end

for i = 1, 5 do func['_' .. i] = leaf('_' .. i, i) end
func._0 = leaf('...', 0)
function func._(value) return leaf(value, 'wrap') end

-- func.Var 'a, b': expressions of variables, one for each name.
function func.Var(names)
   local leaves = {}
   for i, name in ipairs(utils.split(names, '[%s,]+')) do leaves[i] = leaf(name, 0) end
   return unpack(leaves)
end
func.Nil = func.Var 'nil'

---------------------------------------------------------------------------------------------------------
-- Operators

local POWERS = {}   -- how firmly operators hold their operands
for power, words in pairs {[0] = 'or', [2] = 'and', [4] = '== ~= < > <= >=', [6] = '..', [8] = '+ -',
                           [10] = '* / %', [12] = 'not # unm', [14] = '^'} do
   for word in words:gmatch '%S+' do POWERS[word] = power end
end
local UNARY = {['not'] = 'not', ['#'] = '#', unm = '-'}
local TO_THE_RIGHT = {['..'] = true, ['^'] = true}

local function operation(op)
   if UNARY[op] then return function(a) return expression {op = op, a} end end
   return function(a, b) return expression {op = op, a, b} end
end

for name, op in pairs {And = 'and', Or = 'or', Eq = '==', Lt = '<', Gt = '>', Le = '<=', Ge = '>=', Not = 'not',
                       Len = '#'} do
   func[name] = operation(op)
end
for name, op in pairs {__add = '+', __sub = '-', __mul = '*', __div = '/', __mod = '%', __pow = '^', __concat = '..',
                       __eq = '==', __unm = 'unm', __index = '[]'} do
   Expression[name] = operation(op)
end
function Expression.__call(f, ...) return expression {op = '()', f, ...} end

---------------------------------------------------------------------------------------------------------
-- Functions

local names_of = {}   -- by function

local function call_of(f) return function(...) return expression {op = '()', f, ...} end end

-- func.register(f[, name]): a function that returns the expression of a call.
function func.register(f, name)
   utils.assert_arg(1, f, 'function')
   if name then names_of[f] = utils.assert_arg(2, name, 'string') end
   return call_of(f)
end

-- func.import(name of a global table[, into]): its functions so, as globals.
function func.import(name, into)
   utils.assert_arg(1, name, 'string', function(word) return type(_G[word]) == 'table' end,
                    'arg# 1: not a name of a global table')
   for key, f in pairs(_G[name]) do
      rawset(into or _G, key, call_of(f))
      names_of[f] = key
   end
end

function func.lookup_imported_name(f) return names_of[f] end

local function same(...) return ... end
func.Args = call_of(same)

function func.tail(list)
   utils.assert_arg(1, list, 'table')
   return {unpack(list, 2)}
end

-- func.repr(e): the expression as Lua text.
function func.repr(e, outside)
   if type(e) == 'string' then return '"' .. e .. '"' end
   if not is_expression(e) then return names_of[e] or tostring(e) end
   local op = e.op
   local power = POWERS[op]
   if not power then
      if op == 'X' then return e.repr end
      local parts = {}
      for i = 1, #e do parts[i] = func.repr(e[i]) end
      if op == '[]' then return parts[1] .. '[' .. parts[2] .. ']' end
      return (parts[1] or '') .. '(' .. table.concat(parts, ',', 2) .. ')'
   end
   local text
   if UNARY[op] then
      text = UNARY[op] .. ' ' .. func.repr(e[1], power)
   else
      local left, right = power, power + 1
      if TO_THE_RIGHT[op] then left, right = right, left end
      text = func.repr(e[1], left) .. ' ' .. op .. ' ' .. func.repr(e[2], right)
   end
   return outside and outside > power and '(' .. text .. ')' or text
end
Expression.__tostring = func.repr

-- func.collect_values(e, values): move constants into the list, and replace them by placeholders _C1, _C2...;
-- the largest number of a placeholder.
function func.collect_values(e, values)
   if not is_expression(e) then return 0 end
   if e.op == 'X' then return e.index end
   local largest = 0
   for i = 1, #e do
      local part = e[i]
      local wrapped = is_expression(part) and part.op == 'X' and part.index == 'wrap'
      if is_expression(part) and not wrapped then
         largest = math.max(largest, func.collect_values(part, values))
      else
         if wrapped then part = part.repr end
         table.insert(values, part)
         e[i] = leaf('_C' .. #values, #values)
      end
   end
   return largest
end

local function numbered(name, first, last)
   local names = {}
   for i = first, last do table.insert(names, name .. i) end
   return table.concat(names, ',')
end

-- Compile a text to a function, with names for some values.
local function compile(names, values, parameters, body)
   local text = ('return function(%s) return function(%s) return %s end end'):format(names, parameters, body)
   local outer, err = utils.load(text, 'fun')
   if not outer then return nil, err end
   return outer()(unpack(values, 1, values.n or #values))
end

function func.instantiate(e)
   local values = {}
   local n = func.collect_values(e, values)
   local f, err = compile(numbered('_C', 1, #values), values, numbered('_', 1, n), func.repr(e))
   if not f then return nil, err end
   rawset(e, '__PE_function', f)
   return f
end

-- func.I(e): the function of an expression.
function func.I(e) return rawget(e, '__PE_function') or func.instantiate(e) end
utils.add_function_factory(Expression, func.I)

func.bind1, func.curry = utils.bind1, utils.bind1

-- func.compose(f, g, ...): f of g of the rest.
function func.compose(...)
   return tablex.reduce(function(f, g) return function(...) return f(g(...)) end end, {...})
end

-- func.bind(f, ...): f with these arguments; placeholders are arguments of the new function.
function func.bind(f, ...)
   local values, arguments, largest, any = {f, n = 1}, {}, 0, false
   for i = 1, select('#', ...) do
      local argument = select(i, ...)
      if is_expression(argument) and argument.op == 'X' then
         arguments[i] = argument.repr
         largest, any = math.max(largest, argument.index), any or argument.index == 0
      else
         values.n = values.n + 1
         values[values.n] = argument
         arguments[i] = '_v' .. values.n
      end
   end
   local parameters = numbered('_', 1, largest)
   if any then parameters = parameters .. (largest > 0 and ',' or '') .. '...' end
   return compile(numbered('_v', 1, values.n), values, parameters, '_v1(' .. table.concat(arguments, ',') .. ')')
end
