-- ARGV: run_id, token, engine. Answers nothing when it is unknown, or "<id>:<attempt>" of what it announced, with blanks between, and how much
-- it had ever claimed; false for the first when it has not announced anything.
local key = P .. 'engine:' .. ARGV[3]
local found = call('HMGET', key, 'state', 'announced', 'claimed')
if not found[1] then return {} end
if found[1] ~= 'awaited' then call('HSET', key, 'greeted', '1') end
return { found[2], tonumber(found[3] or '0') }
