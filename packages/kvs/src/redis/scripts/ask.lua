-- ARGV: run_id, request. 0: there is no such run.
if call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
if #ARGV[2] > 65536 then return redis.error_reply('TM_LARGE') end
if call('LLEN', P .. 'requests') >= 1000 then return redis.error_reply('TM_FULL') end
call('RPUSH', P .. 'requests', ARGV[2])
return 1
