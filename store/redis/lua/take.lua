#!lua flags=allow-oom
-- Become the owner of a cell, if its lease is free.
-- KEYS  1 the lease  2 the cell's record
-- ARGV  1 owner's token (random, never used before)  2 lease in ms
-- Returns nil if another holds the lease, else the record as it was found:
--       {owner, run_id, epoch, commit_no, cursor, status, stored, attempts}, "" for what is absent
-- Promise: from the answer on no commit under another token is taken. `attempts` counts take-overs since the last commit.
local fields = { 'owner', 'run_id', 'epoch', 'commit_no', 'cursor', 'status', 'stored', 'attempts' }
local found = redis.call('HMGET', KEYS[2], unpack(fields))
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
redis.call('HSET', KEYS[2], 'owner', ARGV[1])
found[8] = tostring(redis.call('HINCRBY', KEYS[2], 'attempts', 1))
for i = 1, 7 do found[i] = found[i] or '' end
return found
