-- ARGV: run_id, token, number, where, then for each run of tasks with equal needs: needs, count, elements.
local number = tonumber(ARGV[3])
if number <= tonumber(call('HGET', KEYS[1], 'published')) then return 0 end
local front = ARGV[4] == 'front'
local needs = run[4]
local tasks = 0

local at = 5
local groups = {}
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  groups[#groups + 1] = { ARGV[at], at + 2, at + 1 + count }
  tasks = tasks + count
  at = at + 2 + count
end

-- What goes to the front is pushed last one first.
local from, to, step = 1, #groups, 1
if front then from, to, step = #groups, 1, -1 end
for g = from, to, step do
  local name, first, last = groups[g][1], groups[g][2], groups[g][3]
  if not string.find(' ' .. needs .. ' ', ' ' .. name .. ' ', 1, true) then
    needs = needs == '' and name or needs .. ' ' .. name
  end
  local elements = {}
  for i = first, last do
    elements[#elements + 1] = front and ARGV[first + last - i] or ARGV[i]
  end
  many(front and 'LPUSH' or 'RPUSH', P .. 'queue:' .. name, elements)
end

call('HSET', KEYS[1], 'published', ARGV[3], 'needs', needs)
ringIdle(tasks)
return 1
