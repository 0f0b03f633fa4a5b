-- ARGV: run_id, engine, context, info. Answers nothing when there is no such run, or rank, run info and needs.
local run = call('HMGET', KEYS[1], 'epoch', 'info', 'needs', 'wanted')
if run[1] ~= ARGV[1] then return {} end
local engine, context = ARGV[2], ARGV[3]
local key = P .. 'engine:' .. engine
local rank = call('HGET', key, 'rank')
-- A run that stops takes nobody in any more: its driver may have looked who is there for the last time.
if not rank and run[4] == '3' then return {} end
if not rank then
  rank = call('HINCRBY', KEYS[1], 'ranks', 1) - 1
  local contextWanted = call('HGET', P .. 'contexts', 'wanted:' .. context) or '0'
  call('HSET', key, 'state', 'member', 'context', context, 'rank', rank, 'info', ARGV[4], 'contextWanted', contextWanted,
    'wanted', '0', 'seq', '0', 'reported', '0', 'acknowledged', '0', 'renewal', '0', 'stats', '', 'idle', '0', 'last', '',
    'why', '')
  call('RPUSH', P .. 'engines', engine)
  call('HINCRBY', KEYS[1], 'members', 1)
  chime('driver')
end
return { tonumber(rank), run[2], run[3] }
