#!lua flags=allow-oom
-- Turn due timers and lapsed gateways into commands of the cell.
-- KEYS  1 the cell's record  2 timers  3 gateways  4 inbox
-- ARGV  1 owner's token  2 latest time to believe, in ms (0: any)  3 most timers, and most gateways, at once
-- Returns {now in ms of Redis TIME, how many commands}; -1 if the clock is past 2; nil if the cell is not ours and ready.
-- Promise: each timer and each lapse becomes exactly one field `t` of one inbox entry, in the order they came due.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local is = redis.call('HMGET', KEYS[1], 'owner', 'status')
if is[1] ~= ARGV[1] or is[2] ~= 'ready' then return false end
if ARGV[2] ~= '0' and now > tonumber(ARGV[2]) then return { now, -1 } end
local range = { '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[3] }
local due = redis.call('ZRANGEBYSCORE', KEYS[2], unpack(range))
local lapsed = redis.call('ZRANGEBYSCORE', KEYS[3], unpack(range))
if #due + #lapsed == 0 then return { now, 0 } end
local fields = {}
for _, command in ipairs(due) do
  fields[#fields + 1], fields[#fields + 2] = 't', command
end
for _, gateway in ipairs(lapsed) do -- msgpack ["gwlost", gateway]; an id has at most 64 characters
  local size = #gateway < 32 and string.char(160 + #gateway) or string.char(217, #gateway)
  fields[#fields + 1], fields[#fields + 2] = 't', '\146\166gwlost' .. size .. gateway
end
redis.call('XADD', KEYS[4], '*', unpack(fields))
if #due > 0 then redis.call('ZREM', KEYS[2], unpack(due)) end
if #lapsed > 0 then redis.call('ZREM', KEYS[3], unpack(lapsed)) end
return { now, #due + #lapsed }
