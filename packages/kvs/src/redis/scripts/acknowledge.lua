-- ARGV: run_id, token, upTo.
local acknowledged, position = tonumber(run[5]), tonumber(run[6])
local upTo = tonumber(ARGV[3])
if upTo <= acknowledged then return 0 end

local highest, whole = {}, 0
for engine, _, count, first in elements() do
  local taken = math.min(count, upTo - position)
  highest[engine] = first + taken - 1
  acknowledged = position + taken
  if taken < count then break end
  whole, position = whole + 1, acknowledged
  if position == upTo then break end
end
call('LTRIM', P .. 'reports', whole, -1)
call('HSET', KEYS[1], 'acknowledged', acknowledged, 'dropped', position)

for engine, number in pairs(highest) do
  local key = P .. 'engine:' .. engine
  call('HSET', key, 'acknowledged', number)
  if call('HGET', key, 'awaits') == '1' then chime(engine) end
end
return 1
