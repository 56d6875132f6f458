-- ARGV: the recorder's token, the epoch and number at which it believes the log to end, until when the log is
-- complete afterwards, the number of messages, their digests, the messages.
-- -> how many were written, the outcome, Redis's error
local token, epoch, number, complete = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local many = tonumber(ARGV[9])
local head = read_head()
if head.owner ~= token or head.closed then return {0, 'FENCED', ''} end
if head.epoch ~= epoch or head.number ~= number then return {0, 'MOVED', ''} end
-- An entry must not be written without its head, so write the head first: Redis may refuse all writes now.
local wrong = refused('SPUBLISH', 'HDEL', 'XADD', 'LLEN', 'LINDEX', 'LPOP')
local why = failed(wrong or redis.pcall('HSET', HEAD, 'owner', ARGV[5]))
local promised = why and 0 or redis.call('LLEN', PROMISED)
while promised > 0 and not string.match(redis.call('LINDEX', PROMISED, 0), '^%d+ ') do
  redis.call('LPOP', PROMISED)  -- not one of ours: it would hide the promises behind it
  promised = promised - 1
end
local digests = {}
for i = 1, many do
  local digest, message = ARGV[9 + i], ARGV[9 + many + i]
  why = why or add(head, 'm', message)
  if why then break end
  digests[i] = digest
  if promised > 0 and redis.call('LINDEX', PROMISED, 0) == digest .. ' ' .. message then
    redis.call('LPOP', PROMISED)
    promised = promised - 1
  end
end
if not why then head['until'] = math.max(head['until'], complete) end
if digests[1] then
  redis.call('HSET', HEAD, 'ms', whole(head.ms), 'number', whole(head.number), 'until', whole(head['until']))
  announce('appended', epoch, whole(head.ms), whole(number + 1), ARGV[5], whole(head['until']),
    table.concat(digests, ','))
end
if not why then return {#digests, 'DONE', ''} end
if not string.find(why, 'equal or smaller', 1, true) then return {#digests, 'REFUSED', why} end
redis.call('HDEL', HEAD, 'run')  -- another client writes to the stream: the next take begins an epoch
return {#digests, 'MOVED', why}
