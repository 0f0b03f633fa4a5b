-- ARGV: run_id, token.
return call('HINCRBY', KEYS[1], 'beat', 1)
