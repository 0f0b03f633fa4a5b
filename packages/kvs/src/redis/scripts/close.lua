-- ARGV: run_id, token. Repeated it finds nothing, and is as good.
local run = call('HMGET', KEYS[1], 'epoch', 'token', 'needs')
if not run[1] then return 0 end
if run[1] ~= ARGV[1] then return absent(run[1]) end
if run[2] ~= ARGV[2] then return redis.error_reply('TM_FENCED') end
purge(run[3])
return 1
