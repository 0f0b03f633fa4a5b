-- ARGV: run_id. Answers nothing when there is no such run, or token, beat, queued, reports, wanted, state, {} per context
-- in one table, {} per engine in another.
local run = call('HMGET', KEYS[1], 'epoch', 'token', 'beat', 'wanted', 'needs', 'state')
if run[1] ~= ARGV[1] then return {} end
local runWanted = tonumber(run[4])
local contexts, engines, reports = {}, {}, 0
for rank, name in ipairs(call('LRANGE', P .. 'labels', 0, -1)) do
  local c = call('HMGET', P .. 'contexts', 'info:' .. name, 'wanted:' .. name, 'credit:' .. name, 'nonceOf:' .. name)
  contexts[rank] = { name, rank - 1, c[1], math.max(runWanted, tonumber(c[2] or '0')), c[3] and math.max(tonumber(c[3]), 0) or -1, c[4] }
end
for _, engine in ipairs(call('LRANGE', P .. 'engines', 0, -1)) do
  local e = call('HMGET', P .. 'engine:' .. engine, 'context', 'rank', 'info', 'renewal', 'stats', 'state', 'contextWanted', 'wanted', 'why',
    'reported', 'acknowledged', 'greeted')
  local awaited = e[6] == 'awaited'
  local wanted = (awaited or e[6] == 'member') and math.max(runWanted, tonumber(e[7]), tonumber(e[8])) or 3
  reports = reports + e[10] - e[11]
  engines[#engines + 1] =
    { engine, e[1], tonumber(e[2]), e[3], tonumber(e[4]), e[5], call('HLEN', P .. 'claims:' .. engine), wanted, awaited and 'member' or e[6],
      e[9], awaited and 1 or 0, e[12] == '1' and 1 or 0 }
end
return { tonumber(run[2]), tonumber(run[3]), queued(run[5]), reports, runWanted, run[6], contexts, engines }
