-- Metamethods are not inherited, methods are; what only a derived class looks at is nil at first.
local Tag = {}
Tag.__index = Tag
Tag.__eq = function(a, b) return a.text == b.text end
Tag.__tostring = function(tag) return '<' .. tag.text .. '>' end
function Tag.new(text) return setmetatable({text = text}, Tag) end
function Tag:twice() return self.text .. self.text end

local Link = setmetatable({}, {__index = Tag})
Link.__index = Link
Link.__tostring = Tag.__tostring
function Link.new(text, target)
   local link = Tag.new(text)
   link.target = target
   return setmetatable(link, Link)
end
function Link:follow()
   if self.seen == nil then
      self.seen = true
      return 'to ' .. self.target
   end
   return 'again'
end

local a, b = Link.new('x', 'there'), Link.new('x', 'there')
print(Tag.new('x') == Tag.new('x'), a == b, a == a)
print(tostring(a), tostring(Tag.new('y')), a:twice())
print(a:follow(), a:follow(), b:follow())
