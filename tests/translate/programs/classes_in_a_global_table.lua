-- Classes whose names stand in a global table, with a parent there, and objects made by new.
shop = {}
local Item = torch.class('shop.Item')
function Item:__init(price)
   self.price = price
end
function Item:twice() return 2 * self.price end

local Toy, parent = torch.class('shop.Toy', 'shop.Item')
function Toy:__init(price, age)
   parent.__init(self, price)
   self.age = age
end
function Toy:fits(age) return age >= self.age end

local apple, ball = shop.Item(4), shop.Toy(3, 2)
print(apple:twice(), ball:twice(), ball:fits(1), ball:fits(2))
local function cheapest(items)
   local best = items[1]
   for _, item in ipairs(items) do
      if item.price < best.price then best = item end
   end
   return best
end
print(cheapest({apple, ball, shop.Item(5)}).price)

-- By new, and a class that has a new of its own.
local pear = Item.new(7)
print(pear:twice(), shop.Toy.new(1, 5):fits(5))
local Card = torch.class('shop.Card')
function Card:__init(text) self.text = text end
function Card.new(text) return 'a card: ' .. text end
print(shop.Card('hello').text, Card.new('hello'))
