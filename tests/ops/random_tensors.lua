-- Random programs on tensors that share memory: views of views, operations in place and into named tensors, assignments.
--
-- Arguments: the first program's number and the last one's. Each prints a line for each step: what was done, whether it was
-- an error, and what is then in the memory. Every program has its own numbers, whatever ran before.

local first, last = ...
local state

local function random(n)
   state = state * 16807 % 2147483647
   return state % n + 1
end

local function pick(list) return list[random(#list)] end

local TYPES = {'Double', 'Double', 'Float', 'Int', 'Long', 'Byte', 'Short', 'Char'}
local SHAPES = {{8}, {2, 4}, {4, 2}, {2, 2, 2}}
local FLOATING = {Double = true, Float = true}

local function shape(x)
   local sizes = {}
   for d = 1, x:dim() do sizes[d] = x:size(d) end
   return table.concat(sizes, 'x')
end

-- A view of x, and its name.
local function view_of(x, name)
   local d = random(x:dim())
   local way = random(9)
   if way <= 3 then
      local size = random(x:size(d))
      local from = random(x:size(d) - size + 1)
      return x:narrow(d, from, size), ('%s:narrow(%d,%d,%d)'):format(name, d, from, size)
   elseif way == 4 and x:dim() > 1 then
      local at = random(x:size(d))
      return x:select(d, at), ('%s:select(%d,%d)'):format(name, d, at)
   elseif way == 5 and x:dim() > 1 then
      local e = random(x:dim())
      return x:transpose(d, e), ('%s:transpose(%d,%d)'):format(name, d, e)
   elseif way == 6 and x:size(d) == 1 then
      local sizes = {}
      for k = 1, x:dim() do sizes[k] = k == d and 3 or x:size(k) end
      return x:expand(unpack(sizes)), ('%s:expand(%s)'):format(name, table.concat(sizes, ','))
   elseif way == 7 and x:isContiguous() then
      return x:view(-1), name .. ':view(-1)'
   elseif way == 8 then
      local size = random(x:size(d))
      local step = random(2)
      return x:unfold(d, size, step), ('%s:unfold(%d,%d,%d)'):format(name, d, size, step)
   elseif way == 9 then
      local from = random(x:size(1))
      local to = from + random(x:size(1) - from + 1) - 1
      return x[{{from, to}}], ('%s[{{%d,%d}}]'):format(name, from, to)
   end
   return x, name
end

-- The original takes some vectors with gaps for transposed matrices, and fills what follows the first element.
local function filled_aside(x)
   local count, most, size = x:nElement(), 1, 1
   if x:isContiguous() then return false end
   for d = 1, x:dim() do
      if x:stride(d) > most then most, size = x:stride(d), x:size(d) end
   end
   return count == most * size
end

-- Whether x may take the size of y without new memory, whose elements would be anything.
local function has_room(x, y) return x:isSameSizeAs(y) or x:storageOffset() - 1 + y:nElement() <= 8 end

local function program(number)
   state = number * 7919 + 13
   for _ = 1, 5 do random(2) end
   local kind = pick(TYPES)
   local new = torch[kind .. 'Tensor']
   local bases, views = {}, {}
   for b = 1, 2 do
      local values = {}
      for i = 1, 8 do values[i] = random(9) + (FLOATING[kind] and random(4) / 4 or 0) end
      bases[b] = new(values)
      views[b] = {bases[b]:view(unpack(pick(SHAPES))), 'x' .. b}
   end

   local function take()
      local entry = pick(views)
      return entry[1], entry[2]
   end

   -- A tensor of as many elements, from the views first.
   local function like(x)
      for _ = 1, 12 do
         local y, name = take()
         if y:nElement() == x:nElement() then return y, name end
      end
      for _ = 1, 40 do
         local y, name = take()
         for _ = 1, 3 do y, name = view_of(y, name) end
         if y:nElement() == x:nElement() then return y, name end
      end
      return x, 'itself'
   end

   local function step()
      local way = random(16)
      if way <= 4 or #views < 4 then
         local x, name = view_of(take())
         if random(2) == 1 then x, name = view_of(x, name) end
         views[#views + 1] = {x, name}
         return name, function() return shape(x) end
      end
      local x, xn = take()
      local y, yn = like(x)
      local z, zn = like(x)
      local v = random(3)
      local text = function(form) return (form:gsub('[xyzv]', {x = xn, y = yn, z = zn, v = v})) end
      if way == 5 then return text 'copy x y', function() x:copy(y) end end
      if way == 6 then
         local name = pick {'add', 'csub', 'cmul', 'cmax', 'cmin'}
         return name .. text ' x y', function() x[name](x, y) end
      elseif way == 7 then
         return text 'add x v y', function() x:add(v, y) end
      elseif way == 8 and has_room(x, y) then
         local name = pick {'add', 'csub', 'cmul', 'cmax', 'cmin'}
         return name .. text ' x y z', function() torch[name](x, y, z) end
      elseif way == 9 then
         local name = pick {'add', 'mul', 'fill', 'cmax', 'cmin', 'csub'}
         if name == 'fill' and filled_aside(x) then name = 'mul' end
         return name .. text ' x v', function() x[name](x, v) end
      elseif way == 10 then
         if random(2) == 1 then return text 'addcmul x v y z', function() x:addcmul(v, y, z) end end
         if not has_room(x, y) then return 'nothing', function() end end
         return text 'addcmul x y v z x', function() torch.addcmul(x, y, v, z, x) end
      elseif way == 11 then
         local at, from = random(x:size(1)), random(y:size(1))
         if y:dim() == 1 and filled_aside(x:narrow(1, at, 1)) then return 'nothing', function() end end
         return ('%s[%d] = %s[%d]'):format(xn, at, yn, from), function() x[at] = y[from] end
      elseif way == 12 then
         local n = random(math.min(x:size(1), y:size(1)))
         local at, from = random(x:size(1) - n + 1), random(y:size(1) - n + 1)
         return ('%s[{{%d,+%d}}] = %s[{{%d}}]'):format(xn, at, n, yn, from), function()
            x[{{at, at + n - 1}}] = y[{{from, from + n - 1}}]
         end
      elseif way == 13 then
         local d = random(x:dim())
         local n = x:size(d)
         local rows = torch.LongTensor(n)
         for i = 1, n do rows[i] = random(n) end
         local name = pick {'indexCopy', 'indexAdd'}
         local source = y:dim() == x:dim() and y or x
         return name .. text ' x ' .. d .. (source == x and 'x' or yn), function() x[name](x, d, rows, source) end
      elseif way == 14 then
         local mask = torch.ByteTensor(x:nElement())
         for i = 1, x:nElement() do mask[i] = random(2) - 1 end
         mask = mask:viewAs(x)
         if random(2) == 1 then return text 'maskedFill x v', function() x:maskedFill(mask, v) end end
         return text 'maskedCopy x y', function() x:maskedCopy(mask, y) end
      elseif way == 15 then
         if random(2) == 1 then
            return text 'map x y', function() x:map(y, function(p, q) return p - 2 * q end) end
         end
         return text 'apply x', function() x:apply(function(p) return p + v end) end
      end
      if FLOATING[kind] and random(2) == 1 and has_room(x, y) then
         local name = pick {'addcdiv', 'lerp', 'cremainder', 'cfmod', 'cdiv'}
         return name .. text ' x y z', function()
            if name == 'addcdiv' then x:addcdiv(v, y, z)
            elseif name == 'lerp' then torch.lerp(x, y, z, 0.5)
            else torch[name](x, y, z) end
         end
      end
      return text 'sum x', function()
         local sum = x:sum()
         -- Of numbers that are none the original finds one that is in the memory behind them.
         return sum == sum and ('%.9g %.9g %.9g'):format(sum, x:max(), x:min()) or ''
      end
   end

   for _ = 1, 24 do
      local what, action = step()
      local ok, said = pcall(action)
      local texts = {}
      for b = 1, 2 do
         local all = bases[b]:storage()
         for i = 1, #all do texts[#texts + 1] = ('%.9g'):format(all[i]) end
      end
      print(('%d %s: %s %s | %s'):format(number, what, ok and 'ok' or 'error', ok and said or '', table.concat(texts, ' ')))
   end
end

for number = tonumber(first), tonumber(last) do program(number) end
