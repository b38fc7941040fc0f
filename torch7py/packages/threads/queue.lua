-- threads.queue: threads.Queue as a package of its own.
--
-- Arguments: core {threads_parts, set by threads}. Result: what `require` gives.

local core = ...
return core.threads_parts.Queue
