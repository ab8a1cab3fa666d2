#!lua flags=allow-oom
-- Keep a cell for another lease.
-- KEYS  1 the lease  2 the cell's record
-- ARGV  1 owner's token  2 lease in ms
-- Returns 1, or 0 if the cell is another's now.
-- Promise: a lease that ran out is taken up again if nobody took the cell since; take.lua writes lease and owner as one.
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
