-- Rings as many idle engines as `tasks` can occupy, those with most free slots first. An engine leaves the list when it is
-- rung and comes back with its next exchange. One whose context has no credit waits in `starved`: it would swallow
-- a ring that another could use.
local function ringIdle(tasks)
  local left = {}
  local aside = {}
  while tasks > 0 do
    local top = call('ZPOPMAX', P .. 'idle')
    local engine = top[1]
    if not engine then break end
    local slots = tonumber(top[2])
    local credit = false
    if limited then
      local context = call('HGET', P .. 'engine:' .. engine, 'context')
      credit = call('HGET', P .. 'contexts', 'credit:' .. context)
      if credit then
        credit = tonumber(credit)
        slots = math.min(slots, left[context] or credit)
        left[context] = (left[context] or credit) - slots
      end
    end
    if slots > 0 then
      chime(engine)
      tasks = tasks - slots
    elseif credit > 0 then
      aside[#aside + 1] = top[2]
      aside[#aside + 1] = engine
    else
      call('ZADD', P .. 'starved', top[2], engine)
    end
  end
  many('ZADD', P .. 'idle', aside)
end

-- There is credit again: the next ringing looks who can use it.
local function feedStarved()
  if call('EXISTS', P .. 'starved') == 1 then
    call('ZUNIONSTORE', P .. 'idle', 2, P .. 'idle', P .. 'starved')
    call('DEL', P .. 'starved')
  end
end
