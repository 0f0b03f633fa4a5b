-- ARGV: run_id, engine, context, info, rank, seq, acknowledged, claimed, whether this is the last part, elements of claims (a msgpack
-- array, '' for none). Answers nothing when there is no such run, or acknowledged, wanted, needs.
local run = call('HMGET', KEYS[1], 'epoch', 'wanted', 'needs', 'ranks')
if run[1] ~= ARGV[1] then return {} end
local engine, context = ARGV[2], ARGV[3]
local key = P .. 'engine:' .. engine
local claims = P .. 'claims:' .. engine
local state = call('HGET', key, 'state')
if not state then
  -- The driver does not know of it: it had just joined when the store forgot.
  state = 'awaited'
  local contextWanted = call('HGET', P .. 'contexts', 'wanted:' .. context) or '0'
  call('HSET', key, 'state', state, 'context', context, 'rank', ARGV[5], 'info', ARGV[4], 'contextWanted', contextWanted, 'wanted', '0', 'seq', '0',
    'reported', '0', 'acknowledged', '0', 'renewal', '0', 'stats', '', 'idle', '0', 'last', '', 'why', '')
  call('RPUSH', P .. 'engines', engine)
  call('HSET', KEYS[1], 'ranks', math.max(tonumber(run[4]), tonumber(ARGV[5]) + 1))
end

if state == 'awaited' and tonumber(ARGV[6]) > tonumber(call('HGET', key, 'seq')) then
  if ARGV[10] ~= '' then
    local fields, known = {}, run[3]
    for _, element in ipairs(cmsgpack.unpack(ARGV[10])) do
      local needs, id, body = string.match(element, '^(%S+) (%d+):%d+:()')
      fields[#fields + 1] = id
      fields[#fields + 1] = element
      -- Should it give this back, others must know of the queue. What has ended never comes back.
      if body <= #element and not string.find(' ' .. run[3] .. ' ', ' ' .. needs .. ' ', 1, true) then
        run[3] = run[3] == '' and needs or run[3] .. ' ' .. needs
      end
    end
    many('HSET', claims, fields)
    if run[3] ~= known then call('HSET', KEYS[1], 'needs', run[3]) end
  end
  call('HSET', key, 'seq', ARGV[6], 'reported', ARGV[7], 'acknowledged', ARGV[7])
  if ARGV[9] == '1' then
    state = 'member'
    call('HSET', key, 'state', state, 'greeted', '', 'announced', table.concat(held(claims), ' '), 'claimed', ARGV[8])
    call('HINCRBY', KEYS[1], 'members', 1)
    chime('driver')
  end
end

local found = call('HMGET', key, 'acknowledged', 'contextWanted', 'wanted')
local gone = state ~= 'member' and state ~= 'awaited'
return { tonumber(found[1]), gone and 3 or math.max(tonumber(run[2]), tonumber(found[2]), tonumber(found[3])), run[3] }
