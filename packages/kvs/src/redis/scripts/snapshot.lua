-- ARGV: run_id. Answers nothing when there is no such run, or token, beat, queued, reports, wanted, then {} per engine.
local run = call('HMGET', KEYS[1], 'epoch', 'token', 'beat', 'wanted', 'needs')
if run[1] ~= ARGV[1] then return {} end
local answer = { tonumber(run[2]), tonumber(run[3]), queued(run[5]), call('LLEN', P .. 'reports'), tonumber(run[4]) }
for _, engine in ipairs(call('LRANGE', P .. 'engines', 0, -1)) do
  local e = call('HMGET', P .. 'engine:' .. engine, 'context', 'rank', 'info', 'renewal', 'stats', 'state', 'contextWanted', 'wanted')
  local wanted = e[6] == 'member' and math.max(tonumber(run[4]), tonumber(e[7]), tonumber(e[8])) or 2
  answer[#answer + 1] = { engine, e[1], tonumber(e[2]), e[3], tonumber(e[4]), e[5], call('HLEN', P .. 'claims:' .. engine), wanted, e[6] }
end
return answer
