-- ARGV: run_id, engine, max. Answers the elements of the claims with the lowest ids.
local claims, max = P .. 'claims:' .. ARGV[2], tonumber(ARGV[3])
local answer = {}
if call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return answer end
local ids = call('HKEYS', claims)
table.sort(ids, function(a, b) return tonumber(a) < tonumber(b) end)
for i = 1, math.min(max, #ids) do
  answer[i] = call('HGET', claims, ids[i])
end
return answer
