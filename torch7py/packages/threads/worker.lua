-- threads.worker: running a job in the state of a thread.
--
-- Arguments: core, host, worker.

local _, _, worker = ...
local rawget, rawset, require, pcall, xpcall, select, unpack, traceback = rawget, rawset, require, pcall, xpcall, select, unpack, debug.traceback

local function packed(ok, ...) return {ok = ok, n = select('#', ...), values = {...}} end

local function call(serialize, content)
   local loaded, job = pcall(serialize.load, content)
   if not loaded then return packed(false, job) end
   return packed(xpcall(function() return job.callback(unpack(job.args, 1, job.n)) end, traceback))
end

function worker.run()
   local serialize, content = require(rawget(_G, '__threads_serializer')), rawget(_G, '__threads_job')
   rawset(_G, '__threads_job', nil)
   rawset(_G, '__threads_serializer', nil)
   local results = call(serialize, content)
   local ok, saved = pcall(serialize.save, results)
   return ok and saved or serialize.save(packed(false, saved))
end
