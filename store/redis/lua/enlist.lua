#!lua flags=allow-oom
-- Say that an engine lives, and count those that do.
-- KEYS  1 engines
-- ARGV  1 engine's id  2 lease in ms (0: it leaves)
-- Returns how many engines live, this one included unless it leaves.
-- Promise: an engine that is silent for its lease is not counted.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if ARGV[2] == '0' then redis.call('ZREM', KEYS[1], ARGV[1])
else redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1]) end
return redis.call('ZCARD', KEYS[1])
