-- Small tensors without leaving Lua.
--
-- An operation may say what it does to an element as an expression (`loop` in ops/registry.py). On DoubleTensors or
-- FloatTensors of few elements, whose memory is at hand, a loop made of that expression takes 0.1 us where a call of
-- PyTorch takes 1.3 and the way there and back 3, in place as for a new tensor or a given one. The result is the same to
-- the last bit: each step is rounded as PyTorch rounds it, and rounding a double that was computed from floats by one
-- addition, multiplication, division or root gives what the float unit gives.
--
-- What does not lie in one piece is first copied to memory that does (strided.lua).
--
-- Arguments: config, headers, tensor, chunk.
-- Result: {method = f(name, method, metatable), func = f(name, function): the same, with the short way added}.

local config, headers, tensor, chunk = ...
local loops = {}

local getmetatable, type, loadstring, tonumber, pcall = getmetatable, type, loadstring, tonumber, pcall
local ipairs, next, rawset, setmetatable = ipairs, next, rawset, setmetatable
local gsub, match, find, concat = string.gsub, string.match, string.find, table.concat
local ffi = config.shared and require 'ffi' or nil
if not ffi then
   return {method = function(_, f) return f end, func = function(_, f) return f end}
end

---------------------------------------------------------------------------------------------------------
-- What is different for each type of element

ffi.cdef 'double fma(double, double, double); float fmaf(float, float, float);'

-- PyTorch's functions of a few numbers: those of MKL, of a count, operands, results and a mode.
local VECTORS = {
   exp = 'exp', log = 'ln', sin = 'sin', cos = 'cos', tan = 'tan', tanh = 'tanh', asin = 'asin', acos = 'acos',
   atan = 'atan', sqrt = 'sqrt',
}
local MODE = ffi.new('int64_t[1]', 0x140102)   -- accurate, and no errors are noted, as PyTorch has it
local has_library, library = pcall(ffi.load, config.library)

local function vector(letter, ctype, name)
   local symbol = 'vm' .. letter .. VECTORS[name] .. '_'
   pcall(ffi.cdef, 'void ' .. symbol .. '(const int*, const ' .. ctype .. '*, ' .. ctype .. '*, const int64_t*);')
   local there, f = pcall(function() return has_library and library[symbol] end)
   if not there or not f then return nil end
   local count = ffi.new('int[1]')
   return function(x, r, n)
      count[0] = n
      f(count, x, r, MODE)
   end
end

local box = ffi.new('float[1]')
local function to_float(v)
   box[0] = v
   v = tonumber(box[0])
   return v
end

-- `number`: a call's number as an element, false where that is to be left to Python; `r`: what was computed, rounded.
local TYPES = {}
for name, entry in next, {
   ['torch.DoubleTensor'] = {'double', 'd', ffi.C.fma, function(v) return v end, function(v) return v end},
   ['torch.FloatTensor'] = {'float', 's', ffi.C.fmaf, to_float, function(v)
      v = to_float(v)
      return v - v == 0 and v
   end},
} do
   local ctype, letter, fma, round, number = unpack(entry)
   local mt = tensor.metatables[name]
   local vectors = {}
   for function_name in next, VECTORS do vectors[function_name] = vector(letter, ctype, function_name) end
   TYPES[mt] = {
      pointer = ffi.typeof(ctype .. '*'), bytes = ffi.typeof('uint8_t*'), fma = fma, r = round, number = number,
      read = tensor.read[mt], kind = tensor.kinds[mt], vectors = vectors,
      byte_kind = tensor.kinds[tensor.metatables['torch.ByteTensor']],
      abs = math.abs, sqrt = math.sqrt, floor = math.floor, ceil = math.ceil,
      strided = chunk('strided.lua')(headers, tensor.read[mt], ffi.typeof(ctype), ffi.sizeof(ctype)),
   }
end

---------------------------------------------------------------------------------------------------------
-- Loops

local NAMES = [[
local t, headers, cast = ...
local read, r, fma, number, pointer, bytes = t.read, t.r, t.fma, t.number, t.pointer, t.bytes
local at_hand, header, fresh, refit, SMALL = headers.at_hand, headers.of, headers.fresh, headers.refit, headers.small
local count_dense, same_size = headers.count_dense, headers.same_size
local strided = t.strided
local count, place, settle, scratch = strided.count, strided.place, strided.settle, strided.scratch
local is_apart, is_injective = strided.is_apart, strided.is_injective
local kind, byte_kind, abs, sqrt, floor, ceil = t.kind, t.byte_kind, t.abs, t.sqrt, t.floor, t.ceil
]]

local TENSORS = {x = 1, y = 2, z = 3}

-- An expression of elements, of the pointers to them and their number.
local function elements(expression)
   return (gsub(expression, '%f[%w]([xyz])%f[%W]', 'read(p%1, i)'))
end

-- The parameters of a short way, and those of them that are tensors that it reads.
local function parameters(arguments)
   local names = {}
   for letter in string.gmatch(arguments, '.') do names[#names + 1] = letter end
   return names, (gsub(arguments, '[^xyz]', ''))
end

-- A sum or its like, over numbers in a row, however many: in the original's order a loop is faster than PyTorch.
local function fold_source(arguments, expression)
   local first, step, last = match(expression, '^(.-); (.-); (.*)$')
   return [[
local function fold(px, n)
   local i = 0
   local s = ]] .. elements(first) .. [[

   for i = 0, n - 1 do s = ]] .. elements(step) .. [[ end
   return s
end
return function(]] .. concat(parameters(arguments), ', ') .. [[)
   -- WHEN
   local h = header(x)
   local n = h.dims > 0 and count_dense(h)
   if not n then return false end
   local s = fold(cast(pointer, h.address), n)
   return true, ]] .. last .. [[

end]]
end

-- The short way of a call with these arguments, as a function of them: whether it was possible, and the result. None where it needs a
-- function of PyTorch's that cannot be reached.
local function source_of(arguments, expression, target, vectors)
   local lines, names, tensors = {}, parameters(arguments)
   local function add(line) lines[#lines + 1] = line end
   local by_vector = match(expression, '^(%a+)%(x%)$')
   by_vector = VECTORS[by_vector] and by_vector
   if by_vector and not vectors[by_vector] then return nil end
   if not by_vector then
      add('local function loop(pr, n, px, py, pz, v, w) for i = 0, n - 1 do pr[i] = ' .. elements(expression) .. ' end end')
   else
      add('local vector = t.vectors.' .. by_vector)
      add('local function loop(pr, n, px) vector(px, pr, n) end')
   end
   add('return function(' .. concat(names, ', ') .. ')')
   for _, letter in ipairs(names) do
      if not TENSORS[letter] and letter ~= 'o' then
         add(letter .. ' = number(' .. letter .. ') if ' .. letter .. ' == false then return false end')
      end
   end
   add('-- WHEN')
   for k, letter in ipairs(names) do
      if TENSORS[letter] then
         add(gsub('local hX = at_hand(X) if hX == nil then return false end', 'X', letter))
         if letter == 'x' then
            add('local n = count(hx) if n > SMALL or n == 0 then return false end')
         else
            add(gsub('if count(hX) ~= n then return false end', 'X', letter))
         end
      end
   end
   -- What is written is one place an element, and is not read later as something else.
   local function add_checks()
      add('local dr = count_dense(hr) == n')
      add('if not dr and not is_injective(hr) then return false end')
      for letter in string.gmatch(tensors, '.') do
         if letter ~= target then
            local in_order = by_vector and 'false' or 'dr'
            add('if not is_apart(hr, h' .. letter .. ', ' .. in_order .. ') then return false end')
         end
      end
   end
   if target == 'x' then
      add('local hr, result = hx, x')
      add_checks()
   elseif target == 'o' then
      add('local hr, result = at_hand(o), o')
      add('if hr == nil or hr.dims > 0 and hr.address == 0 then return false end')
      add('if same_size(hr, hx) then')
      add_checks()
      add('elseif not refit(o, n, hx) then return false end')
   end
   for letter in string.gmatch(tensors, '.') do
      add(gsub('local pX = place(hX, n, scratch[K])', '[XK]', {X = letter, K = tostring(TENSORS[letter])}))
   end
   if target == 'new' then
      add('local result, hr = fresh(kind, n, hx) local pr = cast(pointer, hr.address)')
   elseif target == 'byte' then
      add('local result, hr = fresh(byte_kind, n, hx) local pr = cast(bytes, hr.address)')
   elseif target == 'x' then
      add('local pr = px')
   else
      add('local pr = cast(pointer, hr.address) if count_dense(hr) ~= n then pr = scratch[4] end')
   end
   local function if_given(letter, name) return find(arguments, letter, 1, true) and name or 'nil' end
   local operands = {if_given('y', 'py'), if_given('z', 'pz'), if_given('v', 'v'), if_given('w', 'w')}
   add('loop(pr, n, px, ' .. concat(operands, ', ') .. ')')
   if target == 'x' then add('if not dr then settle(hr, n, pr) end') elseif target == 'o' then add('settle(hr, n, pr)') end
   add('return true, result end')
   return concat(lines, '\n')
end

-- name -> {[whether it is the method] = {key of the kinds of arguments -> row of `config.loops`}}
local known = {}
for _, row in ipairs(config.loops) do
   local name, is_method, arguments, key, step = row[1], row[2], row[3], 0, 1
   for letter in string.gmatch(arguments, '.') do
      key = key + step * (find('vw', letter, 1, true) and 1 or 2)
      step = step * 4
   end
   known[name] = known[name] or {[true] = {}, [false] = {}}
   if row[5] ~= '' then known[name][is_method][key] = row end
end

-- The short ways of an operation for one type, by the key of the arguments; each is made when it is first called.
local function ways(rows, mt)
   return setmetatable({}, {__index = function(made, key)
      local row, way = rows[key], false
      if row then
         local arguments, target, expression, condition = row[3], row[4], row[5], row[6]
         local write = target == 'number' and fold_source or source_of
         local source = write(arguments, expression, target, TYPES[mt].vectors)
         if source then
            local test = condition ~= '' and 'if not (' .. condition .. ') then return false end' or ''
            source = gsub(source, '%-%- WHEN', test)
            way = loadstring(NAMES .. source, '=[torch7py] loop')(TYPES[mt], headers, ffi.cast)
         end
      end
      rawset(made, key, way)
      return way
   end})
end

-- Functions of their own for each operation and type: LuaJIT compiles each for what it is.
local METHOD = [[
local f, ways, mt, getmetatable, type, select = ...
local function digit(value)
   if value == nil then return 0 end
   if type(value) == 'number' then return 1 end
   return getmetatable(value) == mt and 2 or 3
end
return function(a, b, c, d, e, ...)
   if getmetatable(a) == mt and select('#', ...) == 0 then
      local way
      if c == nil and d == nil and e == nil then
         way = ways[2 + 4 * digit(b)]
      else
         way = ways[2 + 4 * digit(b) + 16 * digit(c) + 64 * digit(d) + 256 * digit(e)]
      end
      if way then
         local done, result = way(a, b, c, d, e)
         if done then return result end
      end
   end
   return f(a, b, c, d, e, ...)
end
]]

function loops.method(name, method, mt)
   if not known[name] or not TYPES[mt] then return method end
   return loadstring(METHOD, '=[torch7py] ' .. name)(method, ways(known[name][true], mt), mt, getmetatable, type, select)
end

local FUNCTION = [[
local f, ways_of, getmetatable, type, select = ...
local function digit(value, mt)
   if value == nil then return 0 end
   if type(value) == 'number' then return 1 end
   return getmetatable(value) == mt and 2 or 3
end
return function(a, b, c, d, e, ...)
   if select('#', ...) == 0 then
      local mt = getmetatable(type(a) == 'userdata' and a or b)
      local ways = ways_of[mt]
      if ways then
         local way
         if c == nil and d == nil and e == nil then
            way = ways[digit(a, mt) + 4 * digit(b, mt)]
         else
            way = ways[digit(a, mt) + 4 * digit(b, mt) + 16 * digit(c, mt) + 64 * digit(d, mt) + 256 * digit(e, mt)]
         end
         if way then
            local done, result = way(a, b, c, d, e)
            if done then return result end
         end
      end
   end
   return f(a, b, c, d, e, ...)
end
]]

function loops.func(name, f)
   if not known[name] then return f end
   local ways_of = {}
   for mt in next, TYPES do ways_of[mt] = ways(known[name][false], mt) end
   return loadstring(FUNCTION, '=[torch7py] ' .. name)(f, ways_of, getmetatable, type, select)
end

for mt in next, TYPES do
   for name in next, known do
      if string.sub(name, 1, 2) == '__' then rawset(mt, name, loops.func(name, mt[name])) end
   end
end

return loops
