-- ARGV: run_id, token, context, tasks.
local contexts, mark = P .. 'contexts', ARGV[2] .. ':' .. ARGV[4]
if call('HGET', contexts, 'limit:' .. ARGV[3]) == mark then return 0 end
call('HSET', contexts, 'limit:' .. ARGV[3], mark, 'credit:' .. ARGV[3], ARGV[4])
call('HSET', KEYS[1], 'limited', '1')
limited = '1'
feedStarved()
ringIdle(queued(run[4]))
return 1
