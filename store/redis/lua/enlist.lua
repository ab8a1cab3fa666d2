#!lua flags=allow-oom
-- Say that an engine or a worker lives, and name those that do.
-- KEYS  1 those of its kind
-- ARGV  1 its id  2 lease in ms (0: it leaves)
-- Returns the ids of all that live, itself included unless it leaves.
-- Promise: whoever is silent for its lease is not named. Also in a full Redis: it is the scribes who make room.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if ARGV[2] == '0' then redis.call('ZREM', KEYS[1], ARGV[1])
else redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1]) end
return redis.call('ZRANGE', KEYS[1], 0, -1)
