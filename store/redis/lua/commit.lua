#!lua flags=allow-oom
-- Write one batch of a cell, whole or not at all.
-- KEYS  1 the cell's record
-- ARGV  1 owner's token  2 status  3 epoch  4, 5 cursor now, after  6, 7 commit_no now, after  8 number of checks;
--       checks: "H" key field value ("": absent), "S" key id-of-last-entry ("": none); writes: how many parts, parts
-- Returns "ok"; "already" (this was done before, its answer lost); or what does not hold, with nothing written:
--       "owner" "status" "epoch" "cursor" "commit_no" "head:<key>" "type:<key>" "command:<name>"
-- Promise: all checks come before the first write; after it only a wrong argument could fail.
local types = { HSET = 'hash', HDEL = 'hash', HINCRBY = 'hash', XADD = 'stream', XDEL = 'stream', XTRIM = 'stream',
  ZADD = 'zset', ZREM = 'zset', RPUSH = 'list', LTRIM = 'list', SET = '', DEL = '', PEXPIRE = '', SPUBLISH = '' }
local now = redis.call('HMGET', KEYS[1], 'owner', 'status', 'epoch', 'cursor', 'commit_no')
for i, name in ipairs({ 'owner', 'status', 'epoch' }) do if now[i] ~= ARGV[i] then return name end end
if now[4] ~= ARGV[4] or now[5] ~= ARGV[6] then
  return now[4] == ARGV[5] and now[5] == ARGV[7] and 'already' or now[4] ~= ARGV[4] and 'cursor' or 'commit_no'
end
local i, last, seen = 9, #ARGV, {}
for _ = 1, tonumber(ARGV[8]) do
  local key, is, wanted = ARGV[i + 1], '', ARGV[i + 2]
  if ARGV[i] == 'H' then is, wanted, i, seen[key] = redis.call('HGET', key, wanted) or '', ARGV[i + 3], i + 4, 'hash'
  else is, i, seen[key] = (redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1] or { '' })[1], i + 3, 'stream' end
  if is ~= wanted then return 'head:' .. key end -- of a wrong type, the call itself has failed
end
local write = i
while i <= last do
  local name, key, wanted = ARGV[i + 1], ARGV[i + 2], types[ARGV[i + 1]]
  if not wanted then return 'command:' .. name elseif wanted ~= '' and seen[key] ~= wanted then
    local is = redis.call('TYPE', key)
    if (is.ok or is) ~= wanted and (is.ok or is) ~= 'none' then return 'type:' .. key end -- fakeredis: a plain string
  end
  i, seen[key] = i + 1 + ARGV[i], wanted
end
while write <= last do
  if ARGV[write + 1] == 'XDEL' then -- by itself it leaves the bytes in the stream's node: the others are written anew
    local key, kept = ARGV[write + 2], redis.call('XRANGE', ARGV[write + 2], '-', '+')
    redis.call('DEL', key)
    for _, e in ipairs(kept) do if e[1] ~= ARGV[write + 3] then redis.call('XADD', key, e[1], unpack(e[2])) end end
  else redis.call(unpack(ARGV, write + 1, write + ARGV[write])) end
  write = write + ARGV[write] + 1
end
return redis.call('HSET', KEYS[1], 'cursor', ARGV[5], 'commit_no', ARGV[7], 'attempts', 0) and 'ok'
