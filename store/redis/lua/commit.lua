#!lua flags=allow-oom
-- Write one batch of a cell, whole or not at all.
-- KEYS  1 the cell's record
-- ARGV  1 owner's token  2 status  3 epoch  4, 5 cursor now, after  6, 7 commit_no now, after
--       8 msgpack without bin, which Redis's does not know: {heads: key, field, value ("": absent) …; ends of streams,
--       in groups: {keys …, ids …} ("0-0": no entry); writes: {command, key, …} …}
-- Returns "ok"; "already" (this was done before, its answer lost); or what does not hold, with nothing written:
--       "owner" "status" "epoch" "cursor" "commit_no" "head:<key>" "type:<key>" "command:<name>"
-- Promise: all checks come before the first write; after it only a wrong argument could fail. A stream's end is checked
--       not to be past its id: what is added after it is then never refused.
local types = { HSET = 'hash', HDEL = 'hash', HINCRBY = 'hash', XADD = 'stream', XDEL = 'stream', XTRIM = 'stream',
  ZADD = 'zset', ZREM = 'zset', RPUSH = 'list', LTRIM = 'list', SET = '', DEL = '', PEXPIRE = '', SPUBLISH = '' }
local call, now = redis.call, redis.call('HMGET', KEYS[1], 'owner', 'status', 'epoch', 'cursor', 'commit_no')
for i, name in ipairs({ 'owner', 'status', 'epoch' }) do if now[i] ~= ARGV[i] then return name end end
if now[4] ~= ARGV[4] or now[5] ~= ARGV[6] then
  return now[4] == ARGV[5] and now[5] == ARGV[7] and 'already' or now[4] ~= ARGV[4] and 'cursor' or 'commit_no'
end
local heads, ends, writes = unpack(cmsgpack.unpack(ARGV[8]))
local seen = {}
for i = 1, #heads, 3 do
  if (call('HGET', heads[i], heads[i + 1]) or '') ~= heads[i + 2] then return 'head:' .. heads[i] end
  seen[heads[i]] = 'hash' -- of a wrong type, the call itself has failed
end
for _, group in ipairs(ends) do
  local ahead = call('XREAD', 'COUNT', 1, 'STREAMS', unpack(group))
  if ahead and ahead[1] then return 'head:' .. ahead[1][1] end -- fakeredis: an empty table
  for i = 1, #group / 2 do seen[group[i]] = 'stream' end
end
for _, write in ipairs(writes) do
  local name, key, wanted = write[1], write[2], types[write[1]]
  if not wanted then return 'command:' .. name elseif wanted ~= '' and seen[key] ~= wanted then
    local is = call('TYPE', key)
    if (is.ok or is) ~= wanted and (is.ok or is) ~= 'none' then return 'type:' .. key end -- fakeredis: a plain string
    seen[key] = wanted
  end
end
for _, write in ipairs(writes) do
  if write[1] == 'XDEL' then -- by itself it leaves the bytes in the stream's node: the others are written anew
    local kept = call('XRANGE', write[2], '-', '+')
    call('DEL', write[2])
    for _, e in ipairs(kept) do if e[1] ~= write[3] then call('XADD', write[2], e[1], unpack(e[2])) end end
  else call(unpack(write)) end
end
return call('HSET', KEYS[1], 'cursor', ARGV[5], 'commit_no', ARGV[7], 'attempts', 0) and 'ok'
