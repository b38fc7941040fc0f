-- threads.queue: threads.Queue as a separate package.
--
-- Arguments: core {threads_parts, set by threads}. Result: what `require` gives.

local core = ...
return core.threads_parts.Queue
