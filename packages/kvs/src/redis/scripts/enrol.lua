-- ARGV: run_id, label, whether exactly that one, nonce, info, limit or ''. Answers nothing when there is no such run, {0} when
-- the name is taken, or 1, name, rank and run info.
local run = call('HMGET', KEYS[1], 'epoch', 'info', 'wanted')
if run[1] ~= ARGV[1] then return {} end
local contexts, label, nonce = P .. 'contexts', ARGV[2], ARGV[4]

local name = call('HGET', contexts, 'nonce:' .. nonce)
if name then
  call('HSET', contexts, 'info:' .. name, ARGV[5])
  return { 1, name, tonumber(call('HGET', contexts, 'rank:' .. name)), run[2] }
end

-- As for engines (join).
if run[3] == '3' then return {} end
local rank = call('LLEN', P .. 'labels')
local wanted = string.gsub(label, '#', rank)
name = wanted
local copy = 1
while call('HEXISTS', contexts, 'rank:' .. name) == 1 do
  if ARGV[3] == '1' then return { 0 } end
  copy = copy + 1
  name = wanted .. '.' .. copy
end
call('RPUSH', P .. 'labels', name)
call('HSET', contexts, 'nonce:' .. nonce, name, 'nonceOf:' .. name, nonce, 'rank:' .. name, rank, 'info:' .. name, ARGV[5])
if ARGV[6] ~= '' then
  call('HSET', contexts, 'credit:' .. name, ARGV[6], 'granted:' .. name, ARGV[6])
  call('HSET', KEYS[1], 'limited', '1')
end
return { 1, name, rank, run[2] }
