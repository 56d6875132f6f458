-- -> whether there was a log. If it is recorded, a new epoch begins at the same number.
local head = read_head()
local wrong = refused('SPUBLISH', 'HSET', 'UNLINK') or no_stream()
if wrong then return wrong end
local gone = redis.call('UNLINK', STREAM)
redis.call('UNLINK', PROMISED, KEYS[4])
if not head.epoch then return gone end
head.renewed, head.epochs = head.epoch, ''
head.ms = math.max(head.ms, now)
begin_epoch(head)
local why = keep_head(head)
if why then return redis.error_reply(why) end
if not head.closed then announce('renewed', head.epoch, whole(head.ms), whole(head.number)) end
return 1
