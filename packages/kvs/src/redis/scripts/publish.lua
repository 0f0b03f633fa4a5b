-- ARGV: run_id, token, number, where, then for each run of tasks with equal needs: needs, a msgpack array of their elements, in
-- the order in which they are pushed.
local number = tonumber(ARGV[3])
if number <= tonumber(call('HGET', KEYS[1], 'published')) then return 0 end
local push = ARGV[4] == 'front' and 'LPUSH' or 'RPUSH'
local needs, tasks = run[4], 0
for at = 5, #ARGV, 2 do
  local name, elements = ARGV[at], cmsgpack.unpack(ARGV[at + 1])
  if not string.find(' ' .. needs .. ' ', ' ' .. name .. ' ', 1, true) then
    needs = needs == '' and name or needs .. ' ' .. name
  end
  many(push, P .. 'queue:' .. name, elements)
  tasks = tasks + #elements
end

call('HSET', KEYS[1], 'published', ARGV[3], 'needs', needs)
ringIdle(tasks)
return 1
