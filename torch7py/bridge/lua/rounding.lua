-- How a number is rounded to the digits that `string.format` is asked for. Torch's LuaJIT rounded what lies just between
-- two results away from zero: '%.0f' of 0.5 is 1, '%.2f' of 0.125 is 0.13. Later ones, and C, take the even digit.
--
-- What lies between is known without rounding anything: a number does for q decimals when 2^(q+1) times it is odd.
--
-- Arguments: none. Result: none. Replaces string.format and tostring.

local format, type, select, unpack, pcall, error = string.format, type, select, unpack, pcall, error
local tostring_of = tostring
local tonumber, abs, floor, log10, ldexp, huge = tonumber, math.abs, math.floor, math.log10, math.ldexp, math.huge

local MOST = 98           -- digits, so that one more can be asked for
local NOTHING = 1e-101    -- has only zeros among them; later LuaJITs write other digits for %f of less than 1e-160

-- Whether x lies between two numbers of q decimals; of tens, hundreds, ... where q is negative.
local function between(x, q)
   if q >= 0 then return ldexp(x, q + 1) % 2 == 1 end
   if q < -22 then return false end   -- 5^23 has more digits than a number
   return x % 10 ^ -q == 5 * 10 ^ (-q - 1)
end

-- The text with its last digit raised, if it is what one digit more was cut from; nil if the engine has raised it.
local function raised(text, cut)
   if string.sub(text, 1, #cut) ~= cut then return nil end
   local last = #cut
   while not string.find(text, '^%d', last) do last = last - 1 end
   return string.sub(text, 1, last - 1) .. string.byte(text, last) - 47 .. string.sub(text, last + 1)
end

local function fixed(x, precision)
   local cut = string.sub(format('%.' .. precision + 1 .. 'f', x), 1, -2)
   return raised(format('%.' .. precision .. 'f', x), precision == 0 and string.sub(cut, 1, -2) or cut)
end

local function exponential(x, precision)
   local cut = string.sub(string.match(format('%.' .. precision + 1 .. 'e', x), '^[^e]*'), 1, -2)
   return raised(format('%.' .. precision .. 'e', x), precision == 0 and string.sub(cut, 1, -2) or cut)
end

-- %g of the digits and the exponent of %e. The last digit has been raised, so it is none of the zeros that %g leaves out.
local function general(text, precision)
   local digits, exponent = string.match(text, '^([^e]*)e(.*)$')
   exponent = tonumber(exponent)
   if exponent < -4 or exponent > precision then return text end
   digits = string.gsub(digits, '%.', '', 1)
   if exponent < 0 then return '0.' .. string.rep('0', -exponent - 1) .. digits end
   if exponent == precision then return digits end
   return string.sub(digits, 1, exponent + 1) .. '.' .. string.sub(digits, exponent + 2)
end

-- The text of a number that lies between two results, or is nothing; nil where it is the engine's.
local function away_from_zero(x, letter, flags, width, precision)
   local negative, kind, text = x < 0, string.lower(letter), nil
   x = abs(x)
   if kind == 'f' then
      if x < NOTHING then
         text = format('%.' .. precision .. 'f', 0)
      elseif between(x, precision) then
         text = fixed(x, precision)
      else
         return nil
      end
   else
      if kind == 'g' then precision = precision > 0 and precision - 1 or 0 end
      local exponent = tonumber(string.match(format('%.' .. precision .. 'e', x), 'e(.*)$'))
      if not between(x, precision - exponent) then return nil end
      text = exponential(x, precision)
      if text and kind == 'g' then text = general(text, precision) end
   end
   if not text then return nil end
   if string.find(flags, '#', 1, true) and not string.find(text, '.', 1, true) then text = string.gsub(text, '^%d+', '%0.') end
   if letter ~= kind then text = string.upper(text) end
   local sign = negative and '-' or string.match(flags, '%+') or string.match(flags, ' ') or ''
   local missing = (tonumber(width) or 0) - #text - #sign
   if missing <= 0 then return sign .. text end
   if string.find(flags, '-', 1, true) then return sign .. text .. string.rep(' ', missing) end
   if string.find(flags, '0', 1, true) then return sign .. string.rep('0', missing) .. text end
   return string.rep(' ', missing) .. sign .. text
end

-- Of a pattern: false where it asks for no rounding, else for each number to be rounded its argument, its directive and
-- the number of decimals, or of digits less one.
local known, count = {}, 0

local function read(pattern)
   local found, argument = {}, 0
   for at, flags, width, dot, digits, letter in string.gmatch(pattern, '()%%([-+ #0]*)(%d*)(%.?)(%d*)(.)') do
      if letter ~= '%' then
         argument = argument + 1
         local precision = dot == '' and 6 or tonumber(digits) or 0
         if string.find(letter, '[eEfgG]') and precision <= MOST then
            local kind = string.lower(letter)
            found[#found + 1] = {
               argument = argument, at = at, flags = flags, width = width, precision = precision, letter = letter,
               decimals = kind == 'f' and precision,
               digits = kind == 'g' and (precision > 0 and precision - 1 or 0) or precision,
               length = 2 + #flags + #width + #dot + #digits,
            }
         end
      end
   end
   count = count + 1
   if count > 1000 then known, count = {}, 1 end
   known[pattern] = #found > 0 and found
   return known[pattern]
end

-- Whether a number may lie between two results. Its exponent is known to one.
local function may_lie_between(x, directive)
   if x < 0 then x = -x end
   if x == 0 or x == huge or x ~= x then return false end
   if directive.decimals then return x < NOTHING or between(x, directive.decimals) end
   local q = directive.digits - floor(log10(x))
   return between(x, q) or between(x, q - 1) or between(x, q + 1)
end

-- An argument as the number that is rounded, or nil.
local function rounded(value, directive)
   if type(value) == 'string' then value = tonumber(value) end
   return type(value) == 'number' and may_lie_between(value, directive) and value or nil
end

local function text_of(x, d) return away_from_zero(x, d.letter, d.flags, d.width, d.precision) end

-- Its errors are raised where string.format was called: LuaJIT's own says so after a tail call, that of plain Lua does not.
local formatted = format
if not jit then
   local function finish(ok, ...)
      if ok then return ... end
      error(..., 4)
   end
   function formatted(...) return (finish(pcall(format, ...))) end
end

-- The directives whose numbers lie between two results become %s.
local function with_texts(pattern, directives, arguments)
   for i = #directives, 1, -1 do
      local d = directives[i]
      local x = rounded(arguments[d.argument], d)
      local text = x and text_of(x, d)
      if text then
         arguments[d.argument] = text
         pattern = string.sub(pattern, 1, d.at - 1) .. '%s' .. string.sub(pattern, d.at + d.length)
      end
   end
   return pattern
end

function string.format(...)
   local pattern = ...
   local directives = known[pattern]
   if directives == nil and type(pattern) == 'string' then directives = read(pattern) end
   if directives then
      for i = 1, #directives do
         if rounded(select(directives[i].argument + 1, ...), directives[i]) then
            local arguments = {select(2, ...)}
            pattern = with_texts(pattern, directives, arguments)
            return formatted(pattern, unpack(arguments, 1, select('#', ...) - 1))
         end
      end
   end
   return formatted(...)
end

-- Numbers as `tostring` writes them. What `..` and a file's `write` make of one is the engine's.
local plain = read('%.14g')[1]

function tostring(...)
   local x = ...
   if type(x) == 'number' and (x % 1 ~= 0 or x >= 1e14 or x <= -1e14) and may_lie_between(x, plain) then
      return text_of(x, plain) or tostring_of(x)
   end
   return tostring_of(...)
end
