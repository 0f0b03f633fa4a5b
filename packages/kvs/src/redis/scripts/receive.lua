-- ARGV: run_id, token, max, from or ''. Answers the position asked for (or of the oldest report), that of the first element, and
-- elements with `max` reports from there on, the last of them perhaps with more.
local acknowledged, position = tonumber(run[5]), tonumber(run[6])
local from = math.max(tonumber(ARGV[4]) or 0, acknowledged)
local upTo = from + tonumber(ARGV[3])
local answer = { from, position }
for _, element, count in elements() do
  if position + count > from then
    answer[#answer + 1] = element
  else
    answer[2] = position + count
  end
  position = position + count
  if position >= upTo then break end
end
return answer
