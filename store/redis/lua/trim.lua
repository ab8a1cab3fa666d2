#!lua flags=allow-oom
-- Let go of what SQL has.
-- KEYS  1 the cell's record  2 the epoch's outbox
-- ARGV  1 epoch  2 the commit_no read back from SQL
-- Returns 1, or 0 if the cell is of another epoch or has not come that far.
-- Promise: no commit above 2 is trimmed; `stored` never goes back.
local is = redis.call('HMGET', KEYS[1], 'epoch', 'commit_no', 'stored')
local stored = tonumber(ARGV[2])
if is[1] ~= ARGV[1] or stored > tonumber(is[2] or '0') then return 0 end
redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f-0', stored + 1))
if stored > tonumber(is[3] or '0') then redis.call('HSET', KEYS[1], 'stored', ARGV[2]) end
return 1
