-- Random sequences of operations on pools of threads, and what they do: one line for each sequence.
--
-- Arguments: the first sequence and the last, and the milliseconds that pass after each operation. In the original
-- these let the threads finish what they can, so that with one thread the outcome is determined. And how many threads a pool
-- has, 1 without it; those of several also have jobs that take some time, draw numbers and give tensors.
local threads = require 'threads'
local first, last, pause = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local size = tonumber(arg[4] or 1)

local function wait()
   if pause > 0 then require('sys').sleep(pause / 1000) end
end

io.stdout:setvbuf('line')

local state
local function draw(n)
   state = (state * 16807) % 2147483647
   return state % n + 1
end

local trace
local function note(...)
   for i = 1, select('#', ...) do trace[#trace + 1] = tostring((select(i, ...))) end
end

-- An error without the places and the stack, which are an implementation's own.
local function bare(message)
   return (tostring(message):match('^[^\n]*'):gsub('^.-: (%[)', '%1'):gsub('^.-: (%[)', '%1'):gsub('^[^%[]-: ', ''):gsub('%] .*: ', '] '))
end

local function attempt(name, f, ...)
   local ok, result = pcall(f, ...)
   note(name .. '=' .. (ok and tostring(result) or bare(result)))
end

local jobs = {
   function(id) ran = (ran or 0) + 1 return id, ran end,
   function(id) ran = (ran or 0) + 1 return id, ran end,
   function(id) return id, 'last' end,
   function(id) error('job ' .. id) end,
}

if size > 1 then
   table.insert(jobs, function(id) for i = 1, id * 20000 do kept = i end return id, __threadid, torch.uniform() end)
   table.insert(jobs, function(id) numbers = (numbers or torch.zeros(3)):add(id) return numbers:sum(), __threadid end)
end

local function new_sequence()
   local pool = threads.Threads(size)
   local number = 0

   local function add(depth)
      local thread = pool:specific() and {size > 1 and draw(size) or 1} or {}
      if not pool:acceptsjob(thread[1]) then return note('full') end
      number = number + 1
      local id, then_do = number, draw(6)
      local function after(...)
         note('end', ...)
         wait()
         if then_do == 1 then error('end ' .. id) end
         if then_do == 2 and depth < 3 then add(depth + 1) wait() end
         if then_do == 3 and pool:hasjob() then attempt('inner', pool.dojob, pool) end
      end
      local arguments = {jobs[draw(#jobs)], draw(5) > 1 and after or nil, id}
      if thread[1] then table.insert(arguments, 1, 1) end
      attempt('add', function() return pool:addjob(unpack(arguments, 1, thread[1] and 4 or 3)) end)
   end

   -- Where the queue is full, what ends or turns the pool does jobs as long as it is: how many depends on the threads.
   local function make_room()
      while not pool:acceptsjob(1) do
         attempt('dojob', pool.dojob, pool)
         wait()
      end
   end

   local operations = {
      add = function() add(1) end,
      dojob = function() if pool:hasjob() then attempt('dojob', pool.dojob, pool) end end,
      accepts = function() attempt('accepts', pool.acceptsjob, pool, 1) end,
      hasjob = function() attempt('hasjob', pool.hasjob, pool) end,
      errors = function() note(pool.errors, pool:haserror()) end,
      synchronize = function() attempt('synchronize', pool.synchronize, pool) end,
      specific = function() make_room() attempt('specific', pool.specific, pool, draw(2) == 1) end,
      asked = function() attempt('asked', pool.specific, pool) end,
      terminate = function() make_room() attempt('terminate', pool.terminate, pool) note(pool:isrunning()) end,
   }
   local often = {'add', 'add', 'add', 'add', 'add', 'add', 'dojob', 'dojob', 'accepts', 'hasjob', 'errors',
                  'synchronize', 'specific', 'asked'}
   wait()
   for _ = 1, 6 + draw(12) do
      operations[often[draw(#often)]]()
      wait()
   end
   operations.terminate()
   if not pool:isrunning() then
      attempt('add', pool.addjob, pool, jobs[1])
      attempt('synchronize', pool.synchronize, pool)
   end
   while pool:isrunning() do operations.synchronize() wait() operations.terminate() end
end

for number = first, last do
   state, trace = number * 7919, {}
   for _ = 1, 5 do draw(1) end
   new_sequence()
   io.write(number, ': ', table.concat(trace, ' '), '\n')
end
