-- ARGV: run_id, token, upTo.
local base = tonumber(call('HGET', KEYS[1], 'acknowledged'))
local count = math.min(tonumber(ARGV[3]) - base, call('LLEN', P .. 'reports'))
if count <= 0 then return 0 end

local highest = {}
for from = 0, count - 1, 500 do
  for _, element in ipairs(call('LRANGE', P .. 'reports', from, math.min(from + 499, count - 1))) do
    local engine, number = string.match(element, '^(%w+):(%d+):')
    highest[engine] = number
  end
end
call('LTRIM', P .. 'reports', count, -1)
call('HSET', KEYS[1], 'acknowledged', base + count)

for engine, number in pairs(highest) do
  local key = P .. 'engine:' .. engine
  call('HSET', key, 'acknowledged', number)
  if call('HGET', key, 'awaits') == '1' then chime(engine) end
end
return count
