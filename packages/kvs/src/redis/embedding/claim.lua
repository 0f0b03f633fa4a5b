-- KEYS[1]: `<task key> driver`. ARGV: run id, then each list of the sign-in and what stands first in it. Takes the sign-in as a whole, so that
-- two drivers that wait for one get one each; repeated it is still this run's.
local call = redis.call
if call('HGET', KEYS[1], 'run') == ARGV[1] then return 1 end
for i = 2, #ARGV, 2 do
  if call('LINDEX', ARGV[i], 0) ~= ARGV[i + 1] then return 0 end
end
for i = 2, #ARGV, 2 do call('LPOP', ARGV[i]) end
call('DEL', KEYS[1])
call('HSET', KEYS[1], 'run', ARGV[1])
return 1
