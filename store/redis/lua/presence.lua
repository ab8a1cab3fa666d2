#!lua flags=allow-oom
-- Prolong the lease of a gateway's incarnation in one cell.
-- KEYS  1 gateways
-- ARGV  1 incarnation  2 lease in ms  3 "1" if it is new here, "0" if it was here before
-- Returns 1, or 0 if the incarnation lapsed: its sessions are over and it must not come back.
-- Promise: once an incarnation lapsed, no later renewal hides it from the cell's owner.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[3] == '0' and (not ends or tonumber(ends) <= now) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
return 1
