-- ARGV: run_id, token, state or '', handled. Answers the position of the first request that is left, and the requests.
local requests, handled = P .. 'requests', tonumber(ARGV[4])
call('HINCRBY', KEYS[1], 'beat', 1)
if ARGV[3] ~= '' then call('HSET', KEYS[1], 'state', ARGV[3]) end
local base = tonumber(call('HGET', KEYS[1], 'handled'))
local count = math.min(handled - base, call('LLEN', requests))
if count > 0 then
  base = base + count
  call('LTRIM', requests, count, -1)
  call('HSET', KEYS[1], 'handled', base)
end
return { base, call('LRANGE', requests, 0, 99) }
