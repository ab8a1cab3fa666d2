#!lua flags=allow-oom
-- Write streams anew, so that what was trimmed or deleted is in no byte of them: a stream's nodes keep it otherwise.
-- KEYS  streams
-- ARGV  1 the most entries that are written at once
-- Returns 1, or 0 with nothing written if one of them is longer.
-- Promise: entries and ids stay as they are. An empty stream has no nodes and is left alone: its last id remains known.
for _, key in ipairs(KEYS) do if redis.call('XLEN', key) > tonumber(ARGV[1]) then return 0 end end
for _, key in ipairs(KEYS) do
  local kept = redis.call('XRANGE', key, '-', '+')
  if #kept > 0 then
    redis.call('DEL', key)
    for _, entry in ipairs(kept) do redis.call('XADD', key, entry[1], unpack(entry[2])) end
  end
end
return 1
