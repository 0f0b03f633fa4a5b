-- ARGV: run_id. Answers nothing when there is no such run, or the new token, "<id>:<attempt>" of all claims with blanks between, and
-- the same of all that expelled engines had claimed.
local run = call('HMGET', KEYS[1], 'epoch', 'token', 'needs', 'wanted')
if run[1] ~= ARGV[1] then return {} end
local token = tonumber(run[2]) + 1
for each in string.gmatch(run[3], '%S+') do
  call('UNLINK', P .. 'queue:' .. each)
end
call('HSET', KEYS[1], 'token', token, 'published', '0', 'wanted', '0')
call('DEL', P .. 'withdrawn')

local claims, expelled = {}, {}
for _, engine in ipairs(call('LRANGE', P .. 'engines', 0, -1)) do
  for _, element in ipairs(call('HVALS', P .. 'claims:' .. engine)) do
    claims[#claims + 1] = string.match(element, '^%S+ (%d+:%d+)')
  end
  local key = P .. 'engine:' .. engine
  -- Who has asked while the run was on hold is not among the idle.
  if run[4] == '1' and call('HGET', key, 'state') == 'member' then chime(engine) end
  local was = call('HGET', key, 'expelled')
  if was and was ~= '' then expelled[#expelled + 1] = was end
end
return { token, table.concat(claims, ' '), table.concat(expelled, ' ') }
