-- Conway's game of life on a torus, by convolution and by shifting
torch.setdefaulttensortype('torch.FloatTensor')
local rows, columns = 8, 12
local board = torch.ByteTensor(rows, columns):zero()
local glider = {{1, 2}, {2, 3}, {3, 1}, {3, 2}, {3, 3}}
for _, cell in pairs(glider) do
   local r, c = unpack(cell)
   board[r][c] = 1
end

local function roll(x, dim, by)
   local n = x:size(dim)
   by = by % n
   if by == 0 then return x:clone() end
   return torch.cat(x:narrow(dim, n - by + 1, by), x:narrow(dim, 1, n - by), dim)
end

local function neighbours(x)
   local sum = torch.zeros(x:size())
   for dr = -1, 1 do
      for dc = -1, 1 do
         if not (dr == 0 and dc == 0) then
            sum:add(roll(roll(x, 1, dr), 2, dc):float())
         end
      end
   end
   return sum
end

local function step(x)
   local n = neighbours(x)
   local born = n:eq(3)
   local stays = torch.cmul(n:eq(2), x)
   return born:add(stays):ge(1)
end

local function show(x)
   for r = 1, x:size(1) do
      local line = ''
      for c = 1, x:size(2) do line = line .. (x[r][c] == 1 and '#' or '.') end
      print(line)
   end
end

for generation = 0, 4 do
   if generation % 4 == 0 then
      print('generation ' .. generation)
      show(board)
   end
   board = step(board)
end
local kernel = torch.ones(3, 3)
kernel[2][2] = 0
local valid = torch.conv2(board:float(), kernel, 'V')
local inner = neighbours(board)[{{2, -2}, {2, -2}}]
print((valid - inner):abs():max())
print(board:sum(), board:sum(1), board:any(), board:all())
