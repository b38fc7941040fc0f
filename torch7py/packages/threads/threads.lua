-- threads: pools of Lua states that run jobs, each in a thread of its own.
--
-- Which thread gets a job, and in which order results come, is decided as if threads took no time: a job is given to a
-- thread as soon as one is free, which frees its place in the queue. As many results wait for `dojob` as the pool has threads;
-- a thread with one more keeps it and is given no other job until there is room. So a pool of n threads accepts 3 n jobs before
-- `addjob` must take a result, and which results come first does not depend on the machine. `dojob` waits where the job has
-- not been done yet. Where jobs are done in turn (thread_states.py says when) they are done when a thread gets them.
--
-- Arguments: core {fail, raw, handle_of, wrap, endings}, host {state_open, ...}, threads. Sets core.threads_parts and
-- core.states_in_turn, whether jobs are done one after the other.

local core, host, threads = ...
local fail, raw, handle_of, wrap = core.fail, core.raw, core.handle_of, core.wrap

local type, select, pairs, ipairs, pcall, xpcall, error, tostring = type, select, pairs, ipairs, pcall, xpcall, error, tostring
local require, setmetatable, rawget, unpack, newproxy, getmetatable = require, setmetatable, rawget, unpack, newproxy, getmetatable
local traceback, floor, remove = debug.traceback, math.floor, table.remove

local function take(name)
   local f = threads[name]
   threads[name] = nil
   return f
end

local mutex_new, mutex_known, mutex_lock = take '_mutex_new', take '_mutex_known', take '_mutex_lock'
local mutex_unlock = take '_mutex_unlock'
local condition_new, condition_known = take '_condition_new', take '_condition_known'
local condition_signal, condition_wait, free = take '_condition_signal', take '_condition_wait', take '_free'

local in_turn = raw(host.states_in_turn)
core.states_in_turn, core.states_are_processes = in_turn, raw(host.states_are_processes)
local pools = setmetatable({}, {__mode = 'k'})      -- pool -> its state, as below
local unowned = {}   -- pools that are garbage: their jobs are done, and their states closed, outside of finalizers

local function close(pool)
   pool.__running = false
   local states = pools[pool].states
   while states[1] do raw(host.state_close, remove(states)) end
end

local function end_pool(pool)
   local ok, message = pcall(pool.terminate, pool)
   if not ok then io.stderr:write('threads: a pool that nobody waited for: ', tostring(message), '\n') end
   close(pool)
end

local function close_unowned()
   while unowned[1] do end_pool(remove(unowned, 1)) end
end

local function open_state(threadid)
   close_unowned()
   local state = raw(host.state_open, package.path)
   if threadid then raw(host.state_set, state, '__threadid', threadid) end
   return state
end

-- A table that is a class to be called, `methods` its methods.
local function constructor(methods, construct)
   return setmetatable({}, {__newindex = methods, __index = methods, __call = function(_, ...) return construct(...) end})
end

---------------------------------------------------------------------------------------------------------
-- Serialized jobs

local function saved(serialize, value)
   local ok, result = pcall(serialize.save, value)
   if not ok then fail('FATAL THREAD PANIC: (addjob) %s', tostring(result)) end
   return result
end

-- A job as a pool keeps it until a thread is free.
local function new_job(pool, thread, id, callback, ...)
   local content = saved(pool.serialize, {callback = callback, n = select('#', ...), args = {...}})
   return {thread = thread, id = id, content = content, shared = raw(host.note_shared)}
end

-- Give a job to the state of a thread.
local function begin(pool, thread, job)
   core.hand_over()
   local ticket = raw(host.state_run, pool.states[thread], pool.name, handle_of[job.content] or job.content, job.shared)
   return {thread = thread, id = job.id, ticket = ticket}
end

-- Status and results of a job that was begun.
local function outcome(pool, begun)
   core.hand_over()
   local answer = raw(host.state_wait, begun.ticket)
   if type(answer) == 'number' then answer = wrap(answer) end
   return pool.serialize.load(answer)
end

---------------------------------------------------------------------------------------------------------
-- The state of a pool: `queue` has jobs for any thread, `queues` those for each, `results` the begun jobs that wait for
-- `dojob`, `kept` the one with which a thread waits for room, and `waiting` such threads in their order.

local function free_thread(pool)
   for i = 1, pool.n do
      local thread = (pool.turn + i - 1) % pool.n + 1
      if not pool.kept[thread] then return thread end
   end
end

local function next_job(pool)
   if pool.queue[1] then
      local thread = free_thread(pool)
      if thread then
         pool.turn = thread
         return thread, remove(pool.queue, 1)
      end
   end
   for thread, queue in ipairs(pool.queues) do
      if queue[1] and not pool.kept[thread] then return thread, remove(queue, 1) end
   end
end

local function proceed(pool)
   while true do
      while pool.waiting[1] and #pool.results < pool.n do
         local thread = remove(pool.waiting, 1)
         pool.results[#pool.results + 1], pool.kept[thread] = pool.kept[thread], nil
      end
      local thread, job = next_job(pool)
      if not thread then return end
      pool.kept[thread] = begin(pool, thread, job)
      pool.waiting[#pool.waiting + 1] = thread
   end
end

---------------------------------------------------------------------------------------------------------
-- threads.Threads

local Threads = {}
local nothing = loadstring('', '=threads')     -- loaded from source so that other states can load it
Threads.__index = Threads
Threads.__serialize = 'threads.serialize'

-- Set or get the name of the serializer of later pools.
function Threads.serialization(name)
   if name == nil then return Threads.__serialize end
   if type(name) ~= 'string' then fail('threads.Threads.serialization: the name of a package expected') end
   Threads.__serialize = name
end

-- threads.Threads(n, f1, f2, ...): n states, in each of which f1(id), f2(id), ... run. Also returns the results of the
-- last function.
function Threads.new(n, ...)
   if type(n) ~= 'number' or n < 1 then fail('threads.Threads: a number of threads expected') end
   n = floor(n)
   local self = setmetatable({N = n, endcallbacks = {n = 0}, errors = false, __specific = true, __running = true}, Threads)
   local name = Threads.__serialize
   local pool = {n = n, states = {}, name = name, serialize = require(name), queue = {}, queues = {}, results = {},
                 kept = {}, waiting = {}, turn = 0}
   pools[self] = pool
   for i = 1, n do
      pool.states[i] = open_state(i)
      pool.queues[i] = {}
   end
   local proxy = newproxy(true)
   self.__gc__ = proxy
   getmetatable(proxy).__gc = function()
      pools[self] = pool      -- it is gone from the weak table
      unowned[#unowned + 1] = self
   end

   local results = {}
   local count = select('#', ...)
   for j = 1, count do
      for i = 1, n do
         self:addjob(i, (select(j, ...)), function(...) if j == count then results[#results + 1] = {...} end end, i)
      end
   end
   if count == 0 then for i = 1, n do results[i] = {} end end
   self:specific(false)
   return self, results
end

local function running(self)
   if not self.__running then fail('thread system is not running') end
   return pools[self]
end

function Threads:isrunning() return self.__running end

-- Whether jobs name their thread; with an argument, that they do from now on or do not.
function Threads:specific(flag)
   running(self)
   if flag == nil then return self.__specific end
   if type(flag) ~= 'boolean' then fail('boolean expected') end
   self:synchronize()
   self.__specific = flag
end

-- Call the end callback of the next job with the job's results.
function Threads:dojob()
   local pool = running(self)
   self.errors = false
   local begun = remove(pool.results, 1)
   if not begun then fail('threads: there is no job to be done') end
   proceed(pool)
   local endcallback = self.endcallbacks[begun.id]
   self.endcallbacks[begun.id] = nil
   self.endcallbacks.n = self.endcallbacks.n - 1
   self.errors = true      -- until all has gone well
   local result = outcome(pool, begun)
   if not result.ok then fail('[thread %d callback] %s', begun.thread, tostring(result.values[1])) end
   self.errors = false
   local ok, message = xpcall(function() return endcallback(unpack(result.values, 1, result.n)) end, traceback)
   if not ok then
      self.errors = true
      fail('[thread %d endcallback] %s', begun.thread, tostring(message))
   end
end

local function check_thread(self, thread)
   if type(thread) ~= 'number' or not pools[self].queues[thread] then fail('thread index expected') end
end

-- Whether addjob would return at once.
function Threads:acceptsjob(thread)
   local pool = running(self)
   if self.__specific then check_thread(self, thread) end
   return #(self.__specific and pool.queues[thread] or pool.queue) < pool.n
end

-- pool:addjob([thread,] callback[, endcallback, ...]): callback(...) in a thread, endcallback(results) here.
function Threads:addjob(...)
   local pool = running(self)
   self.errors = false
   close_unowned()
   local thread, callback, endcallback, first
   if self.__specific then
      thread, callback, endcallback = ...
      check_thread(self, thread)
      first = 4
   else
      callback, endcallback = ...
      first = 3
   end
   if type(callback) ~= 'function' then fail('function callback expected') end
   if endcallback ~= nil and type(endcallback) ~= 'function' then fail('function (or nil) endcallback expected') end
   while not self:acceptsjob(thread) do self:dojob() end
   local id = #self.endcallbacks + 1
   local job = new_job(pool, thread, id, callback, select(first, ...))
   self.endcallbacks[id] = endcallback or nothing
   self.endcallbacks.n = self.endcallbacks.n + 1
   local queue = thread and pool.queues[thread] or pool.queue
   queue[#queue + 1] = job
   proceed(pool)
end

-- Errors are raised by the call that meets them.
function Threads:haserror() return false end

function Threads:hasjob()
   running(self)
   return self.endcallbacks.n > 0
end

function Threads:synchronize()
   if not self.__running then return end
   self.errors = false
   while self:hasjob() do self:dojob() end
end

function Threads:terminate()
   if not self.__running or self.errors then return end
   local ok, message = pcall(function()
      for thread = 1, self.N do      -- a last job for each: `hasjob` is true meanwhile
         if self.__specific then self:addjob(thread, nothing) else self:addjob(nothing) end
      end
      self:synchronize()
   end)
   close(self)
   if not ok then error(message, 0) end
end

-- Jobs that nobody waited for are done when the program ends.
core.endings[#core.endings + 1] = function()
   for self in pairs(pools) do unowned[#unowned + 1] = self end
   close_unowned()
end

threads.Threads = constructor(Threads, Threads.new)

---------------------------------------------------------------------------------------------------------
-- threads.Thread: a state that runs a source; in turn, when it is first waited for

local Thread = {}
Thread.__index = Thread
local unstarted = {}

local function start(thread)
   core.hand_over()
   thread.ticket = raw(host.state_source, thread.state, thread.source)
end

local function start_all()
   while unstarted[1] do start(remove(unstarted, 1)) end
end

threads.Thread = constructor(Thread, function(source)
   if type(source) ~= 'string' then fail('threads.Thread: Lua source expected, got %s', type(source)) end
   local thread = setmetatable({state = open_state(), source = source}, Thread)
   if in_turn then unstarted[#unstarted + 1] = thread else start(thread) end
   return thread
end)

function Thread:id() return self.state end

-- Waits until it has run, and raises the error with which it ended.
function Thread:free()
   start_all()
   local ok, err = true, nil
   if self.ticket then
      core.hand_over()
      local ticket = self.ticket
      self.ticket = nil
      ok, err = pcall(raw, host.state_wait, ticket)
   end
   raw(host.state_close, self.state)
   if not ok then error(err, 0) end
end

---------------------------------------------------------------------------------------------------------
-- threads.Mutex and threads.Condition, known in all states by their numbers

local function numbered(class, make, is_known, word)
   local here = make
   function make()
      if raw(host.states_are_processes) then fail('threads: processes have no %s in common (--pools threads)', word) end
      return here()
   end
   class.__index = class
   function class:id() return self.number end
   function class:free() free(self.number) end
   return constructor(class, function(number)
      if number ~= nil and not is_known(number) then fail('threads: there is no %s %s', word, tostring(number)) end
      return setmetatable({number = number or make()}, class)
   end)
end

local Mutex, Condition = {}, {}
threads.Mutex = numbered(Mutex, mutex_new, mutex_known, 'mutex')
threads.Condition = numbered(Condition, condition_new, condition_known, 'condition')

function Mutex:lock() mutex_lock(self.number) end
function Mutex:unlock() mutex_unlock(self.number) end

function Condition:signal() condition_signal(self.number) end
Condition.broadcast = Condition.signal

function Condition:wait(mutex)
   mutex:unlock()
   start_all()
   if not condition_wait(self.number, raw(host.state_is_alone)) then
      fail('threads.Condition:wait: nobody has signalled, and no other thread runs that could')
   end
   mutex:lock()
end

---------------------------------------------------------------------------------------------------------
-- threads.safe(f[, mutex]): f, called with a mutex locked. It is loaded from source so that it can be saved for other
-- states.

local make_safe = loadstring([[
   local f, number = ...
   return function(...)
      local mutex = require('threads').Mutex(number)
      local function unlocked(...)
         mutex:unlock()
         return ...
      end
      mutex:lock()
      return unlocked(f(...))
   end
]], '=threads.safe')

function threads.safe(f, mutex)
   if type(f) ~= 'function' or mutex ~= nil and getmetatable(mutex) ~= Mutex then fail('function, [mutex] expected') end
   return make_safe(f, (mutex or threads.Mutex()):id())
end

---------------------------------------------------------------------------------------------------------
-- threads.queue: jobs in the order in which they were added

local Queue = {}
Queue.__index = Queue

local new_queue = constructor(Queue, function(size, name)
   if type(size) ~= 'number' or size < 1 then fail('threads.Queue: a number of jobs expected') end
   return setmetatable({size = size, serialize = name or 'threads.serialize', jobs = {}, isempty = 1, isfull = 0}, Queue)
end)

local function mark(queue)
   queue.isempty = #queue.jobs == 0 and 1 or 0
   queue.isfull = #queue.jobs == queue.size and 1 or 0
end

function Queue:addjob(callback, ...)
   if self.isfull == 1 then fail('threads.Queue: it is full, and no other thread empties it') end
   local job = {callback = callback, n = select('#', ...), args = {...}}
   self.jobs[#self.jobs + 1] = saved(require(self.serialize), job)
   mark(self)
end

function Queue:dojob()
   if self.isempty == 1 then fail('threads.Queue: it is empty, and no other thread fills it') end
   local job = require(self.serialize).load(remove(self.jobs, 1))
   mark(self)
   return job.callback(unpack(job.args, 1, job.n))
end

threads.Queue = new_queue
core.threads_parts = {Threads = threads.Threads, Queue = new_queue, safe = threads.safe}

-- The package itself may be called, as Threads.
setmetatable(threads, getmetatable(threads.Threads))
