-- Every script: KEYS[1] is the run's meta key (all others follow from it, all with the same hash tag), ARGV[1] the
-- run_id that the server had when this client connected. The run is there only if it was opened on that very server.
local call = redis.call
local P = string.sub(KEYS[1], 1, -5)
-- Whether any context has a limit; each script that may ring sets it.
local limited = false

local function absent(epoch)
  return redis.error_reply(epoch and 'TM_STALE' or 'TM_GONE')
end

-- Lua passes at most some thousand arguments to one call.
local function many(command, key, values, first)
  for from = first or 1, #values, 1000 do
    call(command, key, unpack(values, from, math.min(from + 999, #values)))
  end
end

-- A bell that hangs already is not rung twice.
local function chime(whose)
  local bell = P .. 'bell:' .. whose
  if call('LLEN', bell) == 0 then call('RPUSH', bell, '1') end
end
