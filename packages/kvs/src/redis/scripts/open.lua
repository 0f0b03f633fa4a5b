-- ARGV: run_id, info. Answers the new token.
local old = call('HMGET', KEYS[1], 'epoch', 'token', 'needs')
local token = (tonumber(old[2] or '0') or 0) + 1
-- Data of another life of the server (a snapshot, a failover) may be of any age: the same as none.
if old[1] and old[1] ~= ARGV[1] then purge(old[3] or '') end
if old[1] ~= ARGV[1] then
  call('HSET', KEYS[1], 'epoch', ARGV[1], 'beat', '0', 'wanted', '0', 'needs', '', 'acknowledged', '0', 'dropped', '0', 'ranks', '0', 'members', '0',
    'state', '', 'handled', '0')
end
call('HSET', KEYS[1], 'token', token, 'info', ARGV[2], 'published', '0')
call('DEL', P .. 'withdrawn')
return token
