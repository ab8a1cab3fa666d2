#!lua flags=allow-oom
-- Note that the cell's state is good under this life of the server.
-- KEYS  1 the cell's record
-- ARGV  1 owner's token  2 epoch  3 run_id
-- Returns 1, or 0 if the cell is another's now or of another epoch.
-- Promise: changes nothing but run_id.
local is = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
if is[1] ~= ARGV[1] or is[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'run_id', ARGV[3])
return 1
