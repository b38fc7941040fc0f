local classic = require 'classic'
require 'classic.torch'

-- Who plays; how far one goes the others say.
local Player = classic.class('Player')
Player:mustHave('step')
Player.start = 1

function Player:_init(name)
   self.name = name
   self.at = self.start
end

function Player:play(turns)
   for turn = 1, turns do self.at = self.at + self:step(turn) end
   return self.at
end

function Player:__tostring() return self.name .. ' at ' .. self.at end

-- the one that is ahead
function Player.static.ahead(a, b) return a.at > b.at and a or b end

local Careful, super = classic.class('Careful', Player)
function Careful:_init(name, most)
   super._init(self, name)
   self.most = most
   classic.strict(self)
end
function Careful:step(turn) return math.min(turn, self.most) end

local Bold = classic.class('Bold', 'Player')
function Bold:step(turn) return 2 * turn end

local ann, bob = Careful('Ann', 2), Bold('Bob')
print(ann:play(4), bob:play(2), Player.ahead(ann, bob).name)
print(tostring(ann), tostring(bob))
