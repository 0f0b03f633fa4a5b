-- ARGV: run_id, token, engine, why, and for `expire` the renewal counter that it was seen with. Answers "<id>:<attempt>" of its claims,
-- with blanks between; or "renewed".
local engine = ARGV[3]
local key = P .. 'engine:' .. engine
local found = call('HMGET', key, 'state', 'expelled', 'renewal')
if found[1] ~= 'member' and found[1] ~= 'awaited' then return found[2] or '' end
if ARGV[5] and found[3] ~= ARGV[5] then return 'renewed' end

local answer = table.concat(held(P .. 'claims:' .. engine), ' ')
call('UNLINK', P .. 'claims:' .. engine)
call('HSET', key, 'state', 'expelled', 'expelled', answer, 'idle', '0', 'why', ARGV[4])
if found[1] == 'member' then call('HINCRBY', KEYS[1], 'members', -1) end
call('ZREM', P .. 'idle', engine)
call('ZREM', P .. 'starved', engine)
chime(engine)
-- It may have been rung for a task that it never took.
ringIdle(queued(run[4]))
prune(engine)
return answer
