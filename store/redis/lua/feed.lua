#!lua flags=no-writes
-- Read a feed from a reader's position, or as it stands now.
-- KEYS  1 the feed's rows  2 the feed
-- ARGV  1 seq  2 event id of the last change the reader has ("0" and "": none)
-- Returns {"changes", position, {frame …}} if the feed still has that change, else {"rows", position, {key, row …}};
--       position: "seq event-id", "" before the first change
-- Promise: one moment; rows at a position plus the changes after it are the rows later.
local position = redis.call('HGET', KEYS[1], '#') or ''
local known = redis.call('XRANGE', KEYS[2], ARGV[1] .. '-0', ARGV[1] .. '-0')[1]
local has = {}
for i = 1, known and #known[2] or 0, 2 do has[known[2][i]] = known[2][i + 1] end
local frames, rows = {}, {}
if known and has.i == ARGV[2] then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], string.format('%.0f-0', ARGV[1] + 1), '+')) do
    for i = 1, #entry[2], 2 do if entry[2][i] == 'f' then frames[#frames + 1] = entry[2][i + 1] end end
  end
  return { 'changes', position, frames }
end
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  if flat[i] ~= '#' then rows[#rows + 1], rows[#rows + 2] = flat[i], flat[i + 1] end
end
return { 'rows', position, rows }
