-- KEYS[1]: hash of positions. ARGV: field, list, up to where it was read, most elements, most bytes. Drops what was read and answers what
-- follows, at least one element if there is one; an answer that was lost is given again.
local call = redis.call
local at = tonumber(call('HGET', KEYS[1], ARGV[1]) or '0')
if tonumber(ARGV[3]) > at then
  call('LTRIM', ARGV[2], ARGV[3] - at, -1)
  call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
local elements = call('LRANGE', ARGV[2], 0, ARGV[4] - 1)
local bytes = 0
for i, element in ipairs(elements) do
  bytes = bytes + #element
  if i > 1 and bytes > tonumber(ARGV[5]) then return { unpack(elements, 1, i - 1) } end
end
return elements
