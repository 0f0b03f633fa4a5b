-- The hot path: one call per claim. ARGV: run_id, engine, seq, maxBytes, idleSlots, awaits, number of the first report, how many
-- there are, their element, ids of the claims that they end (a msgpack array, '' for none), elements of what is released (another
-- one), then for each want: needs, max. Answers acknowledged, wanted, needs, a msgpack array of the elements claimed.
local run = call('HMGET', KEYS[1], 'epoch', 'wanted', 'needs', 'limited', 'members')
if run[1] ~= ARGV[1] then return absent(run[1]) end
limited = run[4]
local engine = ARGV[2]
local key = P .. 'engine:' .. engine
local claims = P .. 'claims:' .. engine
local found = call('HMGET', key, 'state', 'seq', 'reported', 'acknowledged', 'context', 'contextWanted', 'wanted', 'idle', 'last')
if not found[1] then return redis.error_reply('TM_UNKNOWN') end
if found[1] == 'awaited' then return redis.error_reply('TM_STALE') end

local wanted = found[1] == 'member' and math.max(tonumber(run[2]), tonumber(found[6]), tonumber(found[7])) or 3
local answer = { tonumber(found[4]), wanted, run[3], '' }

local seq, lastSeq = tonumber(ARGV[3]), tonumber(found[2])
if seq < lastSeq then return redis.error_reply('TM_SEQ ' .. found[2]) end
if seq == lastSeq then
  -- The claims that this request made are still there, unless the engine was expelled: then nobody may start them.
  if found[1] == 'member' and found[9] ~= '' then
    local elements = {}
    for id in string.gmatch(found[9], '%d+') do
      elements[#elements + 1] = call('HGET', claims, id) or nil
    end
    answer[4] = cmsgpack.pack(elements)
  end
  return answer
end

local reported = tonumber(found[3])
local first, count = tonumber(ARGV[7]), tonumber(ARGV[8])
-- Sent before, in a request whose answer was lost.
local known = math.max(reported + 1 - first, 0)
if count > known then
  local element = ARGV[9]
  if known > 0 then
    local at = string.match(element, '^%w+:%d+:%d+:()')
    for _ = 1, known do at = at + 4 + struct.unpack('>I4', element, at) end
    element = engine .. ':' .. first + known .. ':' .. count - known .. ':' .. string.sub(element, at)
  end
  reported = first + count - 1
  many('HDEL', claims, cmsgpack.unpack(ARGV[10]), known + 1)
  call('RPUSH', P .. 'reports', element)
  chime('driver')
end

-- Last one first, so that they stand in the queue as they did.
local released = 0
if ARGV[11] ~= '' then
  local releases = cmsgpack.unpack(ARGV[11])
  for i = #releases, 1, -1 do
    local needs, id = string.match(releases[i], '^(%S+) (%d+):')
    if call('HDEL', claims, id) == 1 then
      call('LPUSH', P .. 'queue:' .. needs, releases[i])
      released = released + 1
    end
  end
end

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
local claimed, got, ids = {}, {}, {}
if able then
  for i = 12, #ARGV, 2 do
    local queue, want, free = P .. 'queue:' .. ARGV[i], tonumber(ARGV[i + 1]), math.max(slots - taken, 0)
    -- Beyond its free slots an engine gets no more than its share of the queue: others have slots for the rest.
    if want > free and run[5] ~= '1' then
      want = math.min(want, math.max(free, math.floor(call('LLEN', queue) / tonumber(run[5]))))
    end
    local max = math.min(taken + want, credit)
    while taken < max and not cut do
      -- In small steps: what is popped beyond `maxBytes` has to go back.
      local some = call('LPOP', queue, math.min(max - taken, 32))
      if not some then break end
      for j, element in ipairs(some) do
        local id, body = string.match(element, '^%S+ (%d+):%d+:()')
        local size = #element - body + 1
        if size > room and taken > 0 then
          cut = true
          for back = #some, j, -1 do call('LPUSH', queue, some[back]) end
          break
        end
        room = room - size
        taken = taken + 1
        got[taken] = element
        ids[taken] = id
        claimed[2 * taken - 1] = id
        claimed[2 * taken] = element
      end
    end
    if cut or taken >= credit then break end
  end
  if taken > 0 then
    many('HSET', claims, claimed)
    answer[4] = cmsgpack.pack(got)
    if limited and credit < math.huge then call('HINCRBY', contexts, creditField, -taken) end
  end
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

call('HSET', key, 'seq', ARGV[3], 'reported', reported, 'idle', idle, 'last', table.concat(ids, ','), 'awaits', ARGV[6])
return answer
