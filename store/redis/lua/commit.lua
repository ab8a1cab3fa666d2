#!lua flags=allow-oom
-- Write one batch of a cell, whole or not at all.
-- KEYS  1 the cell's record
-- ARGV  1 owner's token  2 status  3 epoch  4, 5 cursor now and after  6, 7 commit_no now and after  8 number of checks
--       then checks: "H" key field value ("": absent) or "S" key id of the last entry ("": none)
--       then writes: how many parts, then command, key, arguments
-- Returns "ok"; "already" if cursor and commit_no stand where this would put them (an earlier answer was lost); or
--       "owner" "status" "epoch" "cursor" "commit_no" "head:<key>" "type:<key>" "command:<name>", with nothing written.
-- Promise: all checks come before the first write, so that no command here can fail but by a wrong argument.
local types = { HSET = 'hash', HDEL = 'hash', HINCRBY = 'hash', XADD = 'stream', XTRIM = 'stream', ZADD = 'zset',
  ZREM = 'zset', RPUSH = 'list', LTRIM = 'list', SET = '', DEL = '', PEXPIRE = '', SPUBLISH = '' }
local now = redis.call('HMGET', KEYS[1], 'owner', 'status', 'epoch', 'cursor', 'commit_no')
if now[1] ~= ARGV[1] then return 'owner' end
if now[2] ~= ARGV[2] then return 'status' end
if now[3] ~= ARGV[3] then return 'epoch' end
if now[4] ~= ARGV[4] or now[5] ~= ARGV[6] then
  if now[4] == ARGV[5] and now[5] == ARGV[7] then return 'already' end
  return now[4] ~= ARGV[4] and 'cursor' or 'commit_no'
end
local i, seen = 9, {}
for _ = 1, tonumber(ARGV[8]) do
  local key, is, wanted = ARGV[i + 1], '', ARGV[i + 2]
  if ARGV[i] == 'H' then is, wanted, i = redis.call('HGET', key, wanted) or '', ARGV[i + 3], i + 4
  else is, i = (redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1] or { '' })[1], i + 3 end
  if is ~= wanted then return 'head:' .. key end
end
local writes = i
while i <= #ARGV do
  local name, key = ARGV[i + 1], ARGV[i + 2]
  local wanted = types[name]
  if not wanted then return 'command:' .. tostring(name) end
  if wanted ~= '' and seen[key] ~= wanted then
    local is = redis.call('TYPE', key)
    is = is.ok or is -- a plain string where the simulation runs
    if is ~= wanted and is ~= 'none' then return 'type:' .. key end
    seen[key] = wanted
  end
  i = i + 1 + ARGV[i]
end
i = writes
while i <= #ARGV do
  redis.call(unpack(ARGV, i + 1, i + ARGV[i]))
  i = i + 1 + ARGV[i]
end
redis.call('HSET', KEYS[1], 'cursor', ARGV[5], 'commit_no', ARGV[7], 'attempts', 0)
return 'ok'
