-- What .. is for objects: with one another, and with text on either side.
local Path = {}
Path.__index = Path
local function path(text) return setmetatable({text = text}, Path) end
function Path:depth() return #self.text end
Path.__tostring = function(p) return p.text end
Path.__concat = function(a, b) return path(tostring(a) .. '/' .. tostring(b)) end

local home, file = path('home'), path('notes')
local whole = home .. file
print(tostring(whole), tostring(home .. 'sub' .. file), tostring('root' .. home), whole:depth())
print('it is ' .. tostring(home .. file) .. ', ' .. 'or ' .. whole.text .. '.')
print((home .. file):depth(), tostring((home .. file) .. 'x'))
