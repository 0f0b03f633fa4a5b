-- ARGV: run_id, token, needs, "<id>:<attempt>", element. 1: it was taken out of its queue (now, or by this same request
-- when its answer was lost).
if call('LREM', P .. 'queue:' .. ARGV[3], 1, ARGV[5]) == 1 then
  call('RPUSH', P .. 'withdrawn', ARGV[4])
  call('LTRIM', P .. 'withdrawn', -100, -1)
  return 1
end
return call('LPOS', P .. 'withdrawn', ARGV[4]) and 1 or 0
