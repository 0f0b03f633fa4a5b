-- ARGV: run_id, info, the highest token that is known, nonce or '', ranks. Answers the new token.
local old = call('HMGET', KEYS[1], 'epoch', 'token', 'needs', 'opener')
local nonce = ARGV[4]
local last = tonumber(old[2] or '0') or 0
if nonce ~= '' and old[1] then
  if old[1] == ARGV[1] and old[4] == nonce then return last end
  -- Another driver was faster; or the data is old, but not as old as this driver.
  if old[1] == ARGV[1] or last > tonumber(ARGV[3]) then return redis.error_reply('TM_FENCED') end
end
local token = math.max(last, tonumber(ARGV[3])) + 1
-- Data of another life of the server (a snapshot, a failover) may be of any age: the same as none.
if old[1] and old[1] ~= ARGV[1] then purge(old[3] or '') end
if old[1] ~= ARGV[1] then
  call('HSET', KEYS[1], 'epoch', ARGV[1], 'beat', '0', 'wanted', '0', 'needs', '', 'acknowledged', '0', 'dropped', '0', 'ranks', ARGV[5], 'members', '0',
    'state', '', 'handled', '0')
end
call('HSET', KEYS[1], 'token', token, 'opener', nonce, 'info', ARGV[2], 'published', '0')
call('DEL', P .. 'withdrawn')
return token
