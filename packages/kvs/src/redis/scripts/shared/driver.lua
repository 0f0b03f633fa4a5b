-- Driver verbs: ARGV[2] is the fencing token.
local run = call('HMGET', KEYS[1], 'epoch', 'token', 'limited', 'needs', 'acknowledged', 'dropped')
if run[1] ~= ARGV[1] then return absent(run[1]) end
if run[2] ~= ARGV[2] then return redis.error_reply('TM_FENCED') end
limited = run[3]
