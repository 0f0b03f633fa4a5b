-- A server that is full (maxmemory) refuses what could make it fuller, but only as the first write of a script. What must get
-- through even then, as it is bounded, or makes room, begins with a write that changes nothing.
call('HDEL', KEYS[1], '')
