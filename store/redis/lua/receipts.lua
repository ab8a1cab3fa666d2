#!lua flags=allow-oom
-- Move a reader's horizons forward, and say so.
-- KEYS  1 the conversation's receipts  2 the conversation
-- ARGV  1 reader (visitor, staff)  2 delivered up to  3 read up to  4 channel  5 payload to publish there
-- Returns "delivered:read" as it now stands, or nil if nothing moved or the conversation is not here.
-- Promise: horizons never go back and never pass the log's end; what was read was delivered.
local seq = tonumber(redis.call('HGET', KEYS[2], 'q') or '')
if not seq then return false end
local is = redis.call('HGET', KEYS[1], ARGV[1]) or '0:0'
local delivered, read = string.match(is, '(%d+):(%d+)')
read = math.max(tonumber(read), math.min(tonumber(ARGV[3]), seq))
delivered = math.max(tonumber(delivered), math.min(tonumber(ARGV[2]), seq), read)
local moved = string.format('%.0f:%.0f', delivered, read)
if moved == is then return false end
redis.call('HSET', KEYS[1], ARGV[1], moved)
redis.call('SPUBLISH', ARGV[4], ARGV[5])
return moved
