-- ARGV: 1: the channel may be recorded; 0: it is no longer recorded, and its log is closed.
local head = read_head()
local wrong = refused('SPUBLISH', 'HSET', 'UNLINK')
if not wrong and ARGV[5] == '1' then wrong = refused('XADD') or no_stream() end
if wrong then return wrong end
redis.call('HSET', HEAD, 'off', 1 - ARGV[5])
if ARGV[5] == '1' or not head.epoch or head.closed then return end
local closed = head['until'] > 0 and math.min(head['until'], now) or now
redis.call('HSET', HEAD, 'closed', whole(closed), 'owner', '0')
redis.call('UNLINK', PROMISED)
announce('closed', head.epoch, whole(head.ms), whole(head.number))
