-- threads.worker: what the state of a thread does with a job.
--
-- Arguments: core, host, worker.

local _, _, worker = ...
local rawget, rawset, require, xpcall, select, unpack, traceback = rawget, rawset, require, xpcall, select, unpack, debug.traceback

local function packed(ok, ...) return {ok = ok, n = select('#', ...), values = {...}} end

function worker.run()
   local serialize, job = require(rawget(_G, '__threads_serializer')), rawget(_G, '__threads_job')
   rawset(_G, '__threads_job', nil)
   rawset(_G, '__threads_serializer', nil)
   job = serialize.load(job)
   return serialize.save(packed(xpcall(function() return job.callback(unpack(job.args, 1, job.n)) end, traceback)))
end
