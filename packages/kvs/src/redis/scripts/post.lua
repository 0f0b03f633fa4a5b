-- ARGV: run_id, token, key, value. The last value stands beside the list too: other programs may take it out of the list.
if call('HGET', P .. 'posted', ARGV[3]) == ARGV[4] then return 0 end
call('HSET', P .. 'posted', ARGV[3], ARGV[4])
call('RPUSH', P .. 'post:' .. ARGV[3], ARGV[4])
return 1
