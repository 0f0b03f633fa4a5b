-- ARGV: run_id, engine, counter, stats. Answers acknowledged, wanted, the driver's beat, whether that knows of this engine.
local run = call('HMGET', KEYS[1], 'epoch', 'wanted', 'beat')
if run[1] ~= ARGV[1] then return absent(run[1]) end
local key = P .. 'engine:' .. ARGV[2]
local found = call('HMGET', key, 'state', 'renewal', 'acknowledged', 'contextWanted', 'wanted', 'greeted')
if not found[1] then return redis.error_reply('TM_UNKNOWN') end
if found[1] == 'awaited' then return redis.error_reply('TM_STALE') end
if tonumber(ARGV[3]) > tonumber(found[2]) then call('HSET', key, 'renewal', ARGV[3], 'stats', ARGV[4]) end
local wanted = found[1] == 'member' and math.max(tonumber(run[2]), tonumber(found[4]), tonumber(found[5])) or 3
return { tonumber(found[3]), wanted, tonumber(run[3]), found[6] == '1' and 1 or 0 }
