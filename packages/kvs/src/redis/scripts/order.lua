-- ARGV: run_id, token, kind of scope, its name, wanted (0 run, 1 hold, 2 drain, 3 stop).
local kind, name, wanted = ARGV[3], ARGV[4], ARGV[5]
if kind == 'run' then call('HSET', KEYS[1], 'wanted', wanted) end
if kind == 'context' then call('HSET', P .. 'contexts', 'wanted:' .. name, wanted) end

for _, engine in ipairs(kind == 'engine' and { name } or call('LRANGE', P .. 'engines', 0, -1)) do
  local key = P .. 'engine:' .. engine
  local found = call('HMGET', key, 'state', 'context')
  if found[1] and (kind ~= 'context' or found[2] == name) then
    -- Each engine has a copy of its context's order, so that an exchange need not look it up.
    if kind == 'context' then call('HSET', key, 'contextWanted', wanted) end
    if kind == 'engine' then call('HSET', key, 'wanted', wanted) end
    if found[1] == 'member' then chime(engine) end
  end
end
return 1
