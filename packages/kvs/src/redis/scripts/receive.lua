-- ARGV: run_id, token, max. Answers the position of the first report, and the reports.
return { tonumber(call('HGET', KEYS[1], 'acknowledged')), call('LRANGE', P .. 'reports', 0, tonumber(ARGV[3]) - 1) }
