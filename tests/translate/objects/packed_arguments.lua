-- Rules whose arguments come in a table, checks of their own, and tables as defaults.
require 'torch'
local argcheck = require 'argcheck'
local store = torch.class('Store')

local initcheck = argcheck{
   pack = true,
   help = [[
      A store.
   ]],
   {check = function(names)
       local good = true
       for _, name in ipairs(names) do
          if type(name) ~= 'string' then print('only texts'); good = false end
       end
       return good
    end,
    name = 'names', type = 'table', help = 'what is in it'},
   {name = 'limit', type = 'number'},
   {name = 'price', type = 'number', default = 3},
   {name = 'label', type = 'string', opt = true},
}

function store:__init(...)
   local args = initcheck(...)
   for k, v in pairs(args) do self[k] = v end
   if not self.label then self.label = 'store' end
   self.count = #self.names
end

store.sum = argcheck{
   {name = 'self', type = 'Store'},
   {name = 'weights', type = 'table', default = {1, 2}},
   {name = 'scale', type = 'number', default = 1, check = function(scale) return scale > 0 end},
   call = function(self, weights, scale)
      local sum = 0
      for _, weight in ipairs(weights) do sum = sum + weight * scale end
      return sum + self.limit
   end
}

local a = Store{names = {'x', 'y'}, limit = 5}
local b = Store{names = {'z'}, limit = 1, label = 'other'}
print(a.label, a.count, a.limit, b.label, b.count, b.limit)
print(a:sum(), b.price, b:sum{weights = {3}, scale = 1}, b:sum{scale = 2})
