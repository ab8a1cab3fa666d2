#!lua flags=allow-oom
-- Give a cell up, cleanly: nothing of ours is under way.
-- KEYS  1 the lease  2 the cell's record
-- ARGV  1 owner's token
-- Returns 1, or 0 if the cell is another's now.
-- Promise: nothing sent under this token afterwards is taken; a clean change of hands is no failed attempt.
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'owner', '', 'attempts', 0)
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
