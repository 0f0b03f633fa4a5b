-- The hot path: one call per claim. ARGV: run_id, engine, seq, maxBytes, idleSlots, awaits, number of reports, number of
-- releases, then for each report: number, ended claim or '', element; for each release: needs, id, element;
-- for each want: needs, max. Answers acknowledged, wanted, needs, then for each want that got some: needs, {elements}.
local run = call('HMGET', KEYS[1], 'epoch', 'wanted', 'needs', 'limited')
if run[1] ~= ARGV[1] then return absent(run[1]) end
limited = run[4]
local engine = ARGV[2]
local key = P .. 'engine:' .. engine
local claims = P .. 'claims:' .. engine
local found = call('HMGET', key, 'state', 'seq', 'reported', 'acknowledged', 'context', 'contextWanted', 'wanted', 'idle', 'last')
if not found[1] then return redis.error_reply('TM_UNKNOWN') end

local wanted = found[1] == 'member' and math.max(tonumber(run[2]), tonumber(found[6]), tonumber(found[7])) or 2
local answer = { tonumber(found[4]), wanted, run[3] }

local seq, lastSeq = tonumber(ARGV[3]), tonumber(found[2])
if seq < lastSeq then return redis.error_reply('TM_SEQ ' .. found[2]) end
if seq == lastSeq then
  -- The claims that this request made are still there, unless the engine was expelled: then nobody may start them.
  if found[1] == 'member' then
    for needs, ids in string.gmatch(found[9], '(%S+) ([%d,]+)') do
      local elements = {}
      for id in string.gmatch(ids, '%d+') do
        local claim = call('HGET', claims, id)
        if claim then elements[#elements + 1] = string.sub(claim, #needs + 2) end
      end
      answer[#answer + 1] = needs
      answer[#answer + 1] = elements
    end
  end
  return answer
end

local at = 9
local reported = tonumber(found[3])
local elements, ended = {}, {}
for _ = 1, tonumber(ARGV[7]) do
  local number = tonumber(ARGV[at])
  if number > reported then
    reported = number
    elements[#elements + 1] = ARGV[at + 2]
    if ARGV[at + 1] ~= '' then ended[#ended + 1] = ARGV[at + 1] end
  end
  at = at + 3
end
if #elements > 0 then
  many('HDEL', claims, ended)
  many('RPUSH', P .. 'reports', elements)
  chime('driver')
end

-- Last one first, so that they stand in the queue as they did.
local releases, released = tonumber(ARGV[8]), 0
for i = at + 3 * (releases - 1), at, -3 do
  if call('HDEL', claims, ARGV[i + 1]) == 1 then
    call('LPUSH', P .. 'queue:' .. ARGV[i], ARGV[i + 2])
    released = released + 1
  end
end
at = at + 3 * releases

local idleBefore, slots = tonumber(found[8]), tonumber(ARGV[5])
local contexts, creditField = P .. 'contexts', limited and 'credit:' .. found[5]
if released > 0 then
  if limited and call('HEXISTS', contexts, creditField) == 1 then
    call('HINCRBY', contexts, creditField, released)
    feedStarved()
  end
  if idleBefore > 0 then call('ZREM', P .. 'idle', engine) end
end

local credit = limited and tonumber(call('HGET', contexts, creditField)) or math.huge
local able = wanted == 0 and credit > 0
local taken, room, cut = 0, tonumber(ARGV[4]), false
local claimed, last = {}, ''
if able then
  for i = at, #ARGV, 2 do
    local needs, max = ARGV[i], math.min(tonumber(ARGV[i + 1]), credit - taken)
    local queue = P .. 'queue:' .. needs
    local got, ids = {}, {}
    while #got < max and not cut do
      -- In small steps: what is popped beyond `maxBytes` has to go back.
      local some = call('LPOP', queue, math.min(max - #got, 32))
      if not some then break end
      for j, element in ipairs(some) do
        local id, body = string.match(element, '^(%d+):%d+:()')
        local size = #element - body + 1
        if size > room and taken + #got > 0 then
          cut = true
          for back = #some, j, -1 do call('LPUSH', queue, some[back]) end
          break
        end
        room = room - size
        got[#got + 1] = element
        ids[#ids + 1] = id
        claimed[#claimed + 1] = id
        claimed[#claimed + 1] = needs .. ' ' .. element
      end
    end
    if #got > 0 then
      taken = taken + #got
      answer[#answer + 1] = needs
      answer[#answer + 1] = got
      last = last .. needs .. ' ' .. table.concat(ids, ',') .. ' '
    end
    if cut or taken >= credit then break end
  end
  many('HSET', claims, claimed)
  if limited and taken > 0 and credit < math.huge then call('HINCRBY', contexts, creditField, -taken) end
end

local idle = wanted == 0 and math.max(slots - taken, 0) or 0
local rung = false
if idleBefore > 0 or idle > 0 then
  rung = idleBefore > 0 and released == 0 and not call('ZSCORE', P .. 'idle', engine)
    and not (limited and call('ZSCORE', P .. 'starved', engine))
  local starving = credit - taken <= 0
  if limited then
    if idle > 0 and starving then call('ZADD', P .. 'starved', idle, engine) else call('ZREM', P .. 'starved', engine) end
  end
  if idle > 0 and not starving then call('ZADD', P .. 'idle', idle, engine) else call('ZREM', P .. 'idle', engine) end
  -- Free slots, and more to claim: nobody else will ring for that.
  if cut and idle > 0 then chime(engine) end
end
if released > 0 then
  ringIdle(released)
elseif rung and taken == 0 and (not able or idle == 0) then
  -- It was rung for tasks that it does not take: another shall.
  ringIdle(queued(run[3]))
end

call('HSET', key, 'seq', ARGV[3], 'reported', reported, 'idle', idle, 'last', last, 'awaits', ARGV[6])
return answer
