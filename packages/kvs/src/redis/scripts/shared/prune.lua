-- The records of engines that are gone are kept for people and for zombies: the last 200, and any whose reports the driver
-- still wants. Whatever is older goes, so that a run of weeks stays small.
local function prune(engine)
  local gone = P .. 'gone'
  local count = call('RPUSH', gone, engine)
  -- A bound for one call; the next one goes on.
  for _ = 1, math.min(count - 200, 100) do
    local oldest = call('LINDEX', gone, 0)
    local found = call('HMGET', P .. 'engine:' .. oldest, 'reported', 'acknowledged')
    if found[1] ~= found[2] then break end
    call('LPOP', gone)
    call('LREM', P .. 'engines', 1, oldest)
    call('UNLINK', P .. 'engine:' .. oldest, P .. 'claims:' .. oldest, P .. 'bell:' .. oldest)
  end
end
