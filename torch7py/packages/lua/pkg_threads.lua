-- threads: pools of Lua states to which jobs are given.
--
-- Jobs run in the program's own thread, one after the other: a job when it is added, what is to be done with its
-- results when `dojob` or `synchronize` asks, or when as many results wait as the pool has threads. That is one of the
-- orders in which the original might have run them.
--
-- Arguments: core {fail, raw, handle_of, wrap}, host {state_open, ...}, threads. Sets core.threads_parts.

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

local mutex_new, mutex_known, mutex_set = take '_mutex_new', take '_mutex_known', take '_mutex_set'
local condition_new, condition_known = take '_condition_new', take '_condition_known'
local condition_signal, condition_take, free = take '_condition_signal', take '_condition_take', take '_free'

-- States whose pool is garbage; they are closed outside of finalizers.
local unowned = {}

local function close_unowned()
   for i = #unowned, 1, -1 do raw(host.state_close, remove(unowned)) end
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
-- Jobs as what a serializer makes of them

local function saved(serialize, value)
   local ok, result = pcall(serialize.save, value)
   if not ok then fail('FATAL THREAD PANIC: (addjob) %s', tostring(result)) end
   return result
end

-- Status and results of a job in a state.
local function run(state, name, serialize, callback, ...)
   local job = saved(serialize, {callback = callback, n = select('#', ...), args = {...}})
   local answer = raw(host.state_run, state, name, handle_of[job] or job)
   if type(answer) == 'number' then answer = wrap(answer) end
   return serialize.load(answer)
end

---------------------------------------------------------------------------------------------------------
-- threads.Threads

local Threads = {}
Threads.__index = Threads
Threads.__serialize = 'threads.serialize'
local pools = setmetatable({}, {__mode = 'k'})      -- pool -> {states, serializer, results = {...}, waiting = {n, ...}}

-- The name of the serializer of pools to come: given, or asked for.
function Threads.serialization(name)
   if name == nil then return Threads.__serialize end
   if type(name) ~= 'string' then fail('threads.Threads.serialization: the name of a package expected') end
   Threads.__serialize = name
end

-- threads.Threads(n, f1, f2, ...): n states, in each of which f1(id), f2(id), ... run. Also gives the results of the
-- last function.
function Threads.new(n, ...)
   if type(n) ~= 'number' or n < 1 then fail('threads.Threads: a number of threads expected') end
   n = floor(n)
   local self = setmetatable({N = n, endcallbacks = {n = 0}, errors = false, __specific = true, __running = true}, Threads)
   local name = Threads.__serialize
   local pool = {states = {}, name = name, serialize = require(name), results = {}, waiting = {}, turn = 0}
   pools[self] = pool
   for i = 1, n do
      pool.states[i] = open_state(i)
      pool.waiting[i] = 0
   end
   local proxy, states = newproxy(true), pool.states
   self.__gc__ = proxy
   getmetatable(proxy).__gc = function()
      for _, state in ipairs(states) do unowned[#unowned + 1] = state end
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

-- Call what is to be called with the results of the next job.
function Threads:dojob()
   local pool = running(self)
   self.errors = false
   local result = remove(pool.results, 1)
   if not result then fail('threads: there is no job to be done') end
   pool.waiting[result.thread] = pool.waiting[result.thread] - 1
   local endcallback = self.endcallbacks[result.id]
   self.endcallbacks[result.id] = nil
   self.endcallbacks.n = self.endcallbacks.n - 1
   if not result.ok then
      self.errors = true
      fail('[thread %d callback] %s', result.thread, tostring(result.values[1]))
   end
   local ok, message = xpcall(function() return endcallback(unpack(result.values, 1, result.n)) end, traceback)
   if not ok then
      self.errors = true
      fail('[thread %d endcallback] %s', result.thread, tostring(message))
   end
end

local function check_thread(self, thread)
   if type(thread) ~= 'number' or thread < 1 or thread > self.N then fail('thread index expected') end
end

-- Whether addjob would return at once.
function Threads:acceptsjob(thread)
   local pool = running(self)
   if not self.__specific then return #pool.results < self.N end
   check_thread(self, thread)
   return pool.waiting[thread] < self.N
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
   if not thread then
      thread = pool.turn % self.N + 1
      pool.turn = pool.turn + 1
   end
   local id = #self.endcallbacks + 1
   local result = run(pool.states[thread], pool.name, pool.serialize, callback, select(first, ...))
   result.thread, result.id = thread, id
   self.endcallbacks[id] = endcallback or function() end
   self.endcallbacks.n = self.endcallbacks.n + 1
   pool.waiting[thread] = pool.waiting[thread] + 1
   pool.results[#pool.results + 1] = result
end

-- Errors are raised where they are found.
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
   local ok, message = pcall(self.synchronize, self)
   for _, state in ipairs(pools[self].states) do raw(host.state_close, state) end
   self.__running = false
   if not ok then error(message, 0) end
end

threads.Threads = constructor(Threads, Threads.new)

---------------------------------------------------------------------------------------------------------
-- threads.Thread: a state that runs a source. It runs when it is first waited for.

local Thread = {}
Thread.__index = Thread
local unstarted = {}

local function start_all()
   while unstarted[1] do
      local thread = remove(unstarted, 1)
      raw(host.state_source, thread.state, thread.source)
   end
end

threads.Thread = constructor(Thread, function(source)
   if type(source) ~= 'string' then fail('threads.Thread: Lua source expected, got %s', type(source)) end
   local thread = setmetatable({state = open_state(), source = source}, Thread)
   unstarted[#unstarted + 1] = thread
   return thread
end)

function Thread:id() return self.state end

function Thread:free()
   start_all()
   raw(host.state_close, self.state)
end

---------------------------------------------------------------------------------------------------------
-- threads.Mutex and threads.Condition, known in all states by their numbers

local function numbered(class, make, is_known, word)
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

function Mutex:lock() mutex_set(self.number, true) end
function Mutex:unlock() mutex_set(self.number, false) end

function Condition:signal() condition_signal(self.number) end
Condition.broadcast = Condition.signal

function Condition:wait(mutex)
   mutex:unlock()
   start_all()
   if not condition_take(self.number) then
      fail('threads.Condition:wait: nobody has signalled, and threads run one after the other here')
   end
   mutex:lock()
end

---------------------------------------------------------------------------------------------------------
-- threads.safe(f[, mutex]): f, called with a mutex locked. Made from source so that it can be saved for other states.

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
