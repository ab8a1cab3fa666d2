#!lua flags=allow-oom
-- Bring a newer configuration of an account into its cell.
-- KEYS  1 the account's configuration  2 inbox
-- ARGV  1 version  2 its bytes  3 the pack that tells the cell's owner  4 channel  5 account
-- Returns 1, or 0 if this version or a later one is here already.
-- Promise: version, pack and hint go together; repeating it does nothing.
local present = tonumber(redis.call('HGET', KEYS[1], 'version') or '') or 0
if tonumber(ARGV[1]) <= present then return 0 end
redis.call('XADD', KEYS[2], '*', 'p', ARGV[3])
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'bytes', ARGV[2])
redis.call('SPUBLISH', ARGV[4], ARGV[5])
return 1
