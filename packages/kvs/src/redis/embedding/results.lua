-- KEYS[1]: hash of positions. ARGV: result key, how many results were given before, then id and status of each. Repeated it changes nothing.
-- The status first: who sees the id finds it. Answers how many are not fetched.
local call = redis.call
local at = tonumber(call('HGET', KEYS[1], 'results') or '0')
local done = ARGV[1] .. ' done tasks'
local new = 3 + 2 * math.max(at - ARGV[2], 0)
for i = new, #ARGV, 2 do
  call('RPUSH', ARGV[1] .. ' ' .. ARGV[i], ARGV[i + 1])
  call('RPUSH', done, ARGV[i])
end
if new <= #ARGV then call('HSET', KEYS[1], 'results', ARGV[2] + (#ARGV - 2) / 2) end
return call('LLEN', done)
