-- Deletes every key of the run, without a scan over other people's keys.
local function purge(needs)
  for _, engine in ipairs(call('LRANGE', P .. 'engines', 0, -1)) do
    call('UNLINK', P .. 'engine:' .. engine, P .. 'claims:' .. engine, P .. 'bell:' .. engine)
  end
  for each in string.gmatch(needs, '%S+') do
    call('UNLINK', P .. 'queue:' .. each)
  end
  for _, name in ipairs(call('HKEYS', P .. 'posted')) do
    call('UNLINK', P .. 'post:' .. name)
  end
  call('UNLINK', KEYS[1], P .. 'engines', P .. 'reports', P .. 'idle', P .. 'starved', P .. 'contexts', P .. 'labels',
    P .. 'gone', P .. 'requests', P .. 'withdrawn', P .. 'posted', P .. 'bell:driver')
end
