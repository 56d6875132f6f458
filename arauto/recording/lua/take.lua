-- Makes a recorder the only writer.
-- ARGV: its token, the epoch and number up to which it knows the log (empty and 0: unknown), until when it
-- knows the log to be complete (0: unknown), 1 if a glob matches the channel, 1 if it has every message ever
-- published to the channel, since when messages may never have reached this Redis (0: all have); then for each
-- earlier loss, newest first, since when, and when it was found.
-- -> the epoch, milliseconds and number at which the log ends; nothing if an epoch begins, which is announced
local token, epoch, number, complete = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local head = read_head()
if token < head.owner then return redis.error_reply('FENCED ' .. whole(head.owner)) end
if head.off == '1' and ARGV[9] ~= '1' then return redis.error_reply('CLOSED') end
local wrong = refused('SPUBLISH', 'HSET', 'XREVRANGE', 'XADD', 'XDEL', 'LRANGE', 'UNLINK') or no_stream()
if wrong then return wrong end

local last = redis.call('XREVRANGE', STREAM, '+', '-', 'COUNT', 1)
local last_ms, last_number = string.match(last[1] and last[1][1] or '', '^(%d+)-(%d+)$')
last_ms, last_number = tonumber(last_ms or ''), tonumber(last_number or '')
if last_ms and not (plausible(last[1][1]:match('^%d+')) and plausible(last[1][1]:match('%d+$'))) then
  return redis.error_reply('WRONGID the stream ' .. STREAM .. ' has an entry that is none of ours: delete it')
end
local here = run()
local is_whole = not last_ms or last_ms == head.ms and last_number == head.number
local is_known = head.epoch and number <= head.number and (epoch == head.epoch or epoch == head.renewed)
if epoch ~= '' and is_known and is_whole and head.run == here and not head.closed then
  redis.call('HSET', HEAD, 'owner', ARGV[5])
  return {head.epoch, whole(head.ms), whole(head.number)}
end

-- A number must not be reused for another message, so a new epoch begins. Numbers only rise: if the last one
-- is not known for sure, they continue with the time, which is ahead of them.
local is_first = not head.epoch and not last_ms and epoch == ''
local promises = redis.call('LRANGE', PROMISED, 0, -1)  -- if there are any, there was a log
local is_here = is_first and ARGV[10] == '1' and not promises[1]
if ARGV[10] == '1' and not is_here then complete = 0 end  -- the past is unknown
local since = head.closed or (head['until'] > 0 and head['until']) or complete
local doubt = tonumber(ARGV[11])
if doubt > 0 then since = math.min(since, doubt) end
-- If the log was called complete before a loss was found, that may be wrong. A replica may know no more.
local is_lossy = doubt > 0
for at = 12, #ARGV, 2 do
  local lost, found = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  if lost < since and since <= found then since, is_lossy = lost, true end
end
if not head.epoch then
  -- The recorder may know an earlier state of Redis, in which more had been written. The last entry may be up
  -- to 1.5 s later than its message; promised messages may have been published at any time.
  since = math.min(since, last_ms and last_ms - 1500 or promises[1] and 0 or since)
  head.number = math.max(last_number or 0, number, now)
elseif last_number then
  head.number = math.max(last_number, head.number)
end
head.ms = math.max(head.ms or 0, last_ms or 0, now)
-- An entry that is removed again shows whether the stream can be written, and where it really ended.
local probe = redis.pcall('XADD', STREAM, whole(head.ms) .. '-*', 'probe', '')
if failed(probe) then probe = redis.call('XADD', STREAM, '*', 'probe', '') end
redis.call('XDEL', STREAM, probe)
local end_ms, end_number = string.match(probe, '^(%d+)-(%d+)$')
if tonumber(end_ms) > head.ms or tonumber(end_number) > head.number then head.ms = end_ms + 1 end
begin_epoch(head)
head.renewed, head.off, head.owner, head.run, head.closed = '', '', token, here, nil
head['until'] = is_here and complete or now
local why = keep_head(head)
if why then return redis.error_reply(why) end
if is_here then return {head.epoch, whole(head.ms), whole(head.number)} end

local left = {}
for _, promise in ipairs(promises) do
  local digest, message = string.match(promise, '^(%d+) (.*)$')
  if digest and not add(head, 'm', message) then left[#left + 1] = digest end
end
redis.call('UNLINK', PROMISED)
local lacks = not is_first or complete > 0 or promises[1] or is_lossy
-- A page that does not know this log has seen the promised messages live, if at all.
local begins_ms, begins = whole(head.ms), whole(head.number)
-- If Redis's clock went back, `since` may be later than now; the gap must be visible all the same.
since = lacks and math.min(since, now - 1) or now
if lacks then add(head, 'gap', whole(since)) end
redis.call('HSET', HEAD, 'ms', whole(head.ms), 'number', whole(head.number), 'begins_ms', begins_ms,
  'begins', begins)
announce('resumed', head.epoch, whole(head.ms), whole(head.number), whole(since), whole(now), ARGV[5],
  table.concat(left, ',') .. (is_lossy and ' lossy' or ''))
return false
