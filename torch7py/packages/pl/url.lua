-- pl.url: the %XX codes of addresses. What is not a string stays as it is.
--
-- Arguments: core, host, url.

local _, _, url = ...

local function code(character) return ('%%%02X'):format(character:byte()) end

-- url.quote(s[, plus]): with `plus` slashes have codes too, and a blank becomes a plus sign.
function url.quote(s, plus)
   if type(s) ~= 'string' then return s end
   local plain = plus and '[^%w%-_%.]' or '[^%w%-_%./]'
   return (s:gsub('\n', '\r\n'):gsub(plain, function(character)
      if plus and character == ' ' then return '+' end
      return code(character)
   end))
end

function url.unquote(s)
   if type(s) ~= 'string' then return s end
   local text = s:gsub('%+', ' '):gsub('%%(%x%x)', function(digits) return string.char(tonumber(digits, 16)) end)
   return (text:gsub('\r\n', '\n'))
end
