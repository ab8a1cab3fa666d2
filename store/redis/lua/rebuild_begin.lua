#!lua flags=allow-oom
-- Begin (or take up again) the rebuilding of a suspect cell from SQL, under an epoch of its own.
-- KEYS  1 the cell's record
-- ARGV  1 owner's token  2 epoch  3 commit_no that SQL has
-- Returns 1, or 0 if the cell is another's now or has come to this epoch or a later one already.
-- Promise: until `rebuild_done` nothing is committed but by commits that expect the status "rebuilding".
local is = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'status')
if is[1] ~= ARGV[1] then return 0 end
local epoch, new = tonumber(is[2] or '') or 0, tonumber(ARGV[2])
if new < epoch or (new == epoch and is[3] ~= 'rebuilding') then return 0 end
redis.call('HSET', KEYS[1], 'status', 'rebuilding', 'epoch', ARGV[2], 'commit_no', ARGV[3], 'stored', ARGV[3],
  'cursor', '0-0:0')
return 1
