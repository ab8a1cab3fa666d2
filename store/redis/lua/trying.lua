#!lua flags=allow-oom
-- Name the command that is tried alone, before it can end its owner.
-- KEYS  1 the cell's record
-- ARGV  1 owner's token  2 the command's place  3 how often it was tried
-- Returns 1, or 0 if the cell is another's now.
-- Promise: what the next owner finds named was tried by the last one.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'trying', ARGV[2], 'tries', ARGV[3])
return 1
