-- KEYS[1]: hash of positions. ARGV: result key, up to where results were fetched, most results. Drops those and answers the status of each of
-- the next ones; an answer that was lost is given again.
local call = redis.call
local at = tonumber(call('HGET', KEYS[1], 'fetched') or '0')
local done = ARGV[1] .. ' done tasks'
local old = ARGV[2] - at
if old > 0 then
  for _, id in ipairs(call('LRANGE', done, 0, old - 1)) do call('DEL', ARGV[1] .. ' ' .. id) end
  call('LTRIM', done, old, -1)
  call('HSET', KEYS[1], 'fetched', ARGV[2])
end
local statuses = {}
for _, id in ipairs(call('LRANGE', done, 0, ARGV[3] - 1)) do
  statuses[#statuses + 1] = call('LINDEX', ARGV[1] .. ' ' .. id, 0) or ''
end
return statuses
