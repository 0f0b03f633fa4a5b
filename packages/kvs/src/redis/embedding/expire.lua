-- KEYS[1]: `<result key> done tasks`. ARGV: result key, first, last, seconds. What nobody fetches goes away by itself.
local call = redis.call
for _, id in ipairs(call('LRANGE', KEYS[1], ARGV[2], ARGV[3])) do call('EXPIRE', ARGV[1] .. ' ' .. id, ARGV[4]) end
call('EXPIRE', KEYS[1], ARGV[4])
return 1
