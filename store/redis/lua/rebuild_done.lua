#!lua flags=allow-oom
-- Open a rebuilt cell.
-- KEYS  1 the cell's record
-- ARGV  1 owner's token  2 epoch  3 run_id
-- Returns 1, or 0 if the cell is another's now or is not being rebuilt under this epoch.
-- Promise: commits go on from the commit_no that `rebuild_begin` was given, reading the inbox from its start.
local is = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'status')
if is[1] ~= ARGV[1] or is[2] ~= ARGV[2] or is[3] ~= 'rebuilding' then return 0 end
redis.call('HSET', KEYS[1], 'status', 'ready', 'run_id', ARGV[3], 'attempts', 0)
return 1
