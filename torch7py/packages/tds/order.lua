-- The order in which a tds.Hash is gone through: that of klib's khash, with the FNV-1 hash of a key's bytes.
--
-- Buckets are kept up to date only when the order is asked for: until then insertions and removals are noted. A
-- tensor, vector or hash as a key counts by where it is in memory in the original, here by when it first was a key.
--
-- Result: {new = f() -> state, insert = f(state, key), remove = f(state, key), touch = f(state),
-- iterate = f(state) -> f() -> key}.

local byte, floor, frexp, char, type, setmetatable = string.byte, math.floor, math.frexp, string.char, type, setmetatable

local WORD = 2 ^ 32
local LIVE, DELETED = 1, 2
local REMOVAL = {}

---------------------------------------------------------------------------------------------------------
-- Hashes, in numbers alone: plain Lua 5.1 has no operations on bits

local XOR = {}      -- [16 * a + b], of half bytes
for a = 0, 15 do
   for b = 0, 15 do
      local x, y, bit, sum = a, b, 1, 0
      for _ = 1, 4 do
         if x % 2 ~= y % 2 then sum = sum + bit end
         x, y, bit = floor(x / 2), floor(y / 2), bit * 2
      end
      XOR[16 * a + b] = sum
   end
end

local function fnv(bytes)
   local hash = 0
   for i = 1, #bytes do
      -- times 16777619, which is 2^24 + 403
      hash = (hash * 403 + hash % 256 * 16777216) % WORD
      local low, b = hash % 256, byte(bytes, i)
      hash = hash - low + 16 * XOR[16 * floor(low / 16) + floor(b / 16)] + XOR[16 * (low % 16) + b % 16]
   end
   return hash
end

-- The eight bytes of a double, the least one first.
local function number_bytes(x)
   local sign = (x < 0 or x == 0 and 1 / x < 0) and 128 or 0
   if sign == 128 then x = -x end
   local exponent, fraction
   if x == 0 then
      exponent, fraction = 0, 0
   elseif x == math.huge then
      exponent, fraction = 2047, 0
   else
      local m, e = frexp(x)
      exponent = e + 1022
      if exponent > 0 then fraction = (2 * m - 1) * 2 ^ 52 else exponent, fraction = 0, m * 2 ^ (e + 1074) end
   end
   local bytes = {}
   for i = 1, 6 do
      bytes[i] = fraction % 256
      fraction = floor(fraction / 256)
   end
   bytes[7] = fraction + exponent % 16 * 16
   bytes[8] = sign + floor(exponent / 16)
   return char(unpack(bytes))
end

local serials, last_serial = setmetatable({}, {__mode = 'k'}), 0

local function hash_of(key)
   local kind = type(key)
   if kind == 'string' then return fnv(key) end
   if kind == 'number' then return fnv(number_bytes(key)) end
   if kind == 'boolean' then return key and 1 or 0 end
   if not serials[key] then
      last_serial = last_serial + 1
      serials[key] = last_serial
   end
   return serials[key]
end

---------------------------------------------------------------------------------------------------------
-- Buckets: keys[i], flags[i] (nil where it was never filled) for 0 <= i < count

local function upper_bound(count) return floor(count * 0.77 + 0.5) end

local function resize(b, least)
   local count = 4
   while count < least do count = count * 2 end
   if b.size >= upper_bound(count) then return end
   local keys, flags, hashes, filled = b.keys, b.flags, b.hashes, {}
   for from = 0, b.count - 1 do
      if flags[from] == LIVE then
         local key = keys[from]
         flags[from] = DELETED
         while true do
            local i, step = hashes[key] % count, 0
            while filled[i] do
               step = step + 1
               i = (i + step) % count
            end
            filled[i] = LIVE
            if flags[i] ~= LIVE then
               keys[i] = key
               break
            end
            keys[i], key = key, keys[i]
            flags[i] = DELETED
         end
      end
   end
   for i = count, b.count - 1 do keys[i] = nil end
   b.flags, b.count, b.occupied, b.bound = filled, count, b.size, upper_bound(count)
end

local function make_room(b) resize(b, b.count > 2 * b.size and b.count - 1 or b.count + 1) end

local function put(b, key)
   if b.occupied >= b.bound then make_room(b) end
   local keys, flags, count = b.keys, b.flags, b.count
   local hash = hash_of(key)
   b.hashes[key] = hash
   local first = hash % count
   local i, step, site = first, 0, nil
   while flags[i] do       -- the key is in none of them
      if flags[i] == DELETED then site = i end
      step = step + 1
      i = (i + step) % count
      if i == first then break end
   end
   if site then i = site end
   if not flags[i] then b.occupied = b.occupied + 1 end
   keys[i], flags[i] = key, LIVE
   b.size = b.size + 1
end

local function drop(b, key)
   local i, step = b.hashes[key] % b.count, 0
   while b.flags[i] ~= LIVE or b.keys[i] ~= key do
      step = step + 1
      i = (i + step) % b.count
   end
   b.flags[i], b.keys[i], b.hashes[key] = DELETED, nil, nil
   b.size = b.size - 1
end

local function settle(b)
   local notes, at = b.notes, 1
   while notes[at] ~= nil do
      local key = notes[at]
      at = at + 1
      if key == REMOVAL then
         drop(b, notes[at])
         at = at + 1
      else
         put(b, key)
      end
   end
   b.notes, b.noted = {}, 0
end

---------------------------------------------------------------------------------------------------------

local order = {}

function order.new()
   return {keys = {}, flags = {}, hashes = {}, count = 0, size = 0, occupied = 0, bound = 0, notes = {}, noted = 0}
end

local function note(b, key)
   b.noted = b.noted + 1
   b.notes[b.noted] = key
end

-- Of a key that is not there.
function order.insert(b, key) note(b, key) end

-- When the value of an existing key is set, khash may resize for one more.
function order.touch(b)
   if b.noted > 0 then settle(b) end
   if b.occupied >= b.bound then make_room(b) end
end

-- Of one that is there.
function order.remove(b, key)
   note(b, REMOVAL)
   note(b, key)
   if b.noted > 1000 and b.noted > 4 * b.size then settle(b) end
end

-- Resize before a traversal too, so that setting values of keys during it does not.
function order.iterate(b)
   order.touch(b)
   local at = -1
   return function()
      if b.noted > 0 then settle(b) end
      repeat
         at = at + 1
         if at >= b.count then return nil end
      until b.flags[at] == LIVE
      return b.keys[at]
   end
end

return order
