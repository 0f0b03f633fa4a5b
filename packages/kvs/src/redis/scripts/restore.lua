-- ARGV: run_id, token, number of contexts, for each: name, nonce, info, granted or '', wanted; then for each engine: id, context, rank, info,
-- renewal, stats, wanted.
local contexts, grew = P .. 'contexts', false
local at = 4
for _ = 1, tonumber(ARGV[3]) do
  local name, nonce, info, granted, wanted = unpack(ARGV, at, at + 4)
  at = at + 5
  if call('HEXISTS', contexts, 'rank:' .. name) == 0 then
    local rank = call('RPUSH', P .. 'labels', name) - 1
    call('HSETNX', contexts, 'nonce:' .. nonce, name)
    call('HSET', contexts, 'nonceOf:' .. name, nonce, 'rank:' .. name, rank, 'info:' .. name, info)
  end
  -- Orders only grow stronger.
  if tonumber(wanted) > tonumber(call('HGET', contexts, 'wanted:' .. name) or '0') then
    call('HSET', contexts, 'wanted:' .. name, wanted)
  end
  if granted ~= '' then
    -- It may have enrolled itself meanwhile, and was granted all that it asked for.
    local more = tonumber(granted) - tonumber(call('HGET', contexts, 'granted:' .. name) or '0')
    call('HSET', contexts, 'granted:' .. name, granted)
    call('HINCRBY', contexts, 'credit:' .. name, more)
    call('HSET', KEYS[1], 'limited', '1')
    limited = '1'
    grew = grew or more > 0
  end
end

local ranks = tonumber(call('HGET', KEYS[1], 'ranks'))
for i = at, #ARGV, 7 do
  local engine, context, rank, info, renewal, stats, wanted = unpack(ARGV, i, i + 6)
  local key = P .. 'engine:' .. engine
  local known = call('HMGET', key, 'state', 'wanted')
  if not known[1] then
    local contextWanted = call('HGET', contexts, 'wanted:' .. context) or '0'
    call('HSET', key, 'state', 'awaited', 'context', context, 'rank', rank, 'info', info, 'contextWanted', contextWanted, 'wanted', wanted,
      'seq', '0', 'reported', '0', 'acknowledged', '0', 'renewal', renewal, 'stats', stats, 'idle', '0', 'last', '', 'greeted', '1', 'why', '')
    call('RPUSH', P .. 'engines', engine)
    ranks = math.max(ranks, tonumber(rank) + 1)
  elseif tonumber(wanted) > tonumber(known[2]) then
    call('HSET', key, 'wanted', wanted)
  end
  -- It waits for the run to be there again.
  chime(engine)
end
call('HSET', KEYS[1], 'ranks', ranks)

if grew then
  feedStarved()
  ringIdle(queued(run[4]))
end
return 1
