-- Learns the way through a maze by trying: a table of values for each place and direction (Q-learning), no network.
--
--    maze.lua [episodes]
require 'torch'

torch.manualSeed(4)

episodes = tonumber(arg[1]) or 60

local rows = {
   '#########',
   '#S..#...#',
   '#.#...#.#',
   '#.###.#.#',
   '#...#..G#',
   '#########',
}
local moves = {north = {-1, 0}, south = {1, 0}, west = {0, -1}, east = {0, 1}}
local names = {'north', 'south', 'west', 'east'}

-- Where the start is, and what stands at a place.
local function at(row, column) return rows[row]:sub(column, column) end
local startRow, startColumn
for row = 1, #rows do
   local column = rows[row]:find('S')
   if column then startRow, startColumn = row, column end
end

-- values[row][column][name]
local values = {}
for row = 1, #rows do
   values[row] = {}
   for column = 1, #rows[row] do
      values[row][column] = {north = 0, south = 0, west = 0, east = 0}
   end
end

local function best(row, column)
   local found, value = names[1], -math.huge
   for _, name in ipairs(names) do
      if values[row][column][name] > value then
         found, value = name, values[row][column][name]
      end
   end
   return found, value
end

local function step(row, column, name)
   local move = moves[name]
   local newRow, newColumn = row + move[1], column + move[2]
   if at(newRow, newColumn) == '#' then return row, column, -2, false end
   local done = at(newRow, newColumn) == 'G'
   return newRow, newColumn, done and 20 or -1, done
end

local function episode(curiosity)
   local row, column, steps = startRow, startColumn, 0
   repeat
      local name = best(row, column)
      if torch.uniform() < curiosity then name = names[torch.random(4)] end
      local newRow, newColumn, reward, done = step(row, column, name)
      local target = reward
      if not done then
         local _, later = best(newRow, newColumn)
         target = target + 0.9 * later
      end
      local here = values[row][column]
      here[name] = here[name] + 0.5 * (target - here[name])
      row, column, steps = newRow, newColumn, steps + 1
   until done or steps >= 200
   return steps
end

local shortest = math.huge
for i = 1, episodes do
   local steps = episode(i < episodes / 2 and 0.3 or 0)
   if steps < shortest then shortest = steps end
   if i == 1 or i % 10 == 0 then print('episode ' .. i .. ': ' .. steps .. ' steps, value ' .. values[2][2].south) end
end
print('shortest: ' .. shortest)

-- Walk the way that was learnt, and draw it.
local drawn, row, column = {}, startRow, startColumn
for r, line in ipairs(rows) do
   drawn[r] = {}
   for letter in line:gmatch('.') do table.insert(drawn[r], letter) end
end
local count = 0
while at(row, column) ~= 'G' and count < 50 do
   row, column = step(row, column, (best(row, column)))
   if at(row, column) == '.' then drawn[row][column] = '*' end
   count = count + 1
end
for _, letters in ipairs(drawn) do print(table.concat(letters)) end
