-- KEYS[1]: hash of positions. ARGV: field, list, how many were appended before, values. Repeated it changes nothing. Answers the list's length.
local call = redis.call
local at = tonumber(call('HGET', KEYS[1], ARGV[1]) or '0')
local new = 4 + math.max(at - ARGV[3], 0)
for i = new, #ARGV do call('RPUSH', ARGV[2], ARGV[i]) end
if new <= #ARGV then call('HSET', KEYS[1], ARGV[1], ARGV[3] + #ARGV - 3) end
return call('LLEN', ARGV[2])
