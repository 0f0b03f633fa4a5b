-- ARGV: run_id, engine, why. 1: it has left.
local run = call('HMGET', KEYS[1], 'epoch', 'needs', 'limited')
if run[1] ~= ARGV[1] then return absent(run[1]) end
limited = run[3]
local engine = ARGV[2]
local key = P .. 'engine:' .. engine
local state = call('HGET', key, 'state')
if not state then return redis.error_reply('TM_UNKNOWN') end
if state == 'awaited' then return redis.error_reply('TM_STALE') end
if state ~= 'member' then return 1 end
if call('HLEN', P .. 'claims:' .. engine) > 0 then return 0 end
call('HSET', key, 'state', 'left', 'idle', '0', 'why', ARGV[3])
call('HINCRBY', KEYS[1], 'members', -1)
call('ZREM', P .. 'idle', engine)
call('ZREM', P .. 'starved', engine)
-- It may have been rung for a task that it never took.
ringIdle(queued(run[2]))
chime('driver')
prune(engine)
return 1
