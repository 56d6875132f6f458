"""What has to happen at Redis in one step, as Lua scripts. Each ends with its own last line.

They are sent whole: Redis knows a script again by its text, and no server has to be taught.
"""

# ``write`` adds one entry and returns its position, or nothing and why not. Where the head is
# gone, the log that is there is gone on with, under another epoch. Nothing is added to a closed
# log, so that no process can which has not heard yet that its channel was switched off.
_WRITE = """
local HEADS, UNSAID, LEASE, TO_RECORDER = 'arauto:logs', 'arauto:unsaid', 'arauto:recorder', 'arauto:ids'
local SWITCHED = 'arauto:recorded'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fresh, most, age = ARGV[1], ARGV[2], ARGV[3]

local function log_of(channel) return 'arauto:log:' .. channel end

local function failed(reply) return type(reply) == 'table' and reply.err end

local function position(epoch, ms, n) return string.format('%s.%.0f-%.0f', epoch, ms, n) end

local function new_epoch() return fresh .. string.format('%x', now) end

-- Besides: since when the log is closed, or nothing; and whether there is a head at all.
local function head(channel)
  local known = redis.pcall('HGET', HEADS, channel)
  if known and not failed(known) then
    local epoch, ms, n, closed = string.match(known, '^(%x+)%.(%d+)%-(%d+) ?(%d*)$')
    if epoch then return epoch, tonumber(ms), tonumber(n), tonumber(closed), true end
  end
  local last = redis.pcall('XREVRANGE', log_of(channel), '+', '-', 'COUNT', 1)
  if failed(last) or not last[1] then return new_epoch(), now, 0 end
  local ms, n = string.match(last[1][1], '^(%d+)%-(%d+)$')
  return new_epoch(), tonumber(ms), tonumber(n)
end

local function write(channel, field, value, opens)
  local why
  for attempt = 1, 2 do
    local epoch, ms, n, closed = head(channel)
    if closed and not opens then return nil, 'closed' end
    ms, n = math.max(ms, now), n + 1
    local at = position(epoch, ms, n)
    local id = string.format('%.0f-%.0f', ms, n)
    local reply = redis.pcall('XADD', log_of(channel), 'MAXLEN', '~', most, id, field, value)
    why = failed(reply)
    if not why then
      why = failed(redis.pcall('HSET', HEADS, channel, at))
      if why then
        redis.pcall('XDEL', log_of(channel), id)
        return nil, why
      end
      if n % 64 == 0 then
        redis.pcall('XTRIM', log_of(channel), 'MINID', '~', string.format('%.0f', now - age))
      end
      return at
    end
    if not string.find(why, 'equal or smaller', 1, true) then break end
    redis.pcall('HDEL', HEADS, channel)
  end
  return nil, why
end

local function no_stream(channel)
  local kind = redis.call('TYPE', log_of(channel)).ok
  if kind ~= 'none' and kind ~= 'stream' then
    return redis.error_reply('WRONGTYPE ' .. log_of(channel) .. ' is no stream')
  end
end

local function mark(channel, text) return redis.pcall('SPUBLISH', 'arauto:ids:' .. channel, text) end

-- Tells what was appended and not told yet. It comes before all that has later numbers; what is of
-- another log (``at`` has another epoch) or cannot be taken off the list is not told.
local function say(channel, at)
  local unsaid = redis.pcall('HGET', UNSAID, channel)
  if not unsaid or failed(unsaid) or redis.pcall('HDEL', UNSAID, channel) ~= 1 then return end
  if string.match(unsaid, '^%x+') ~= string.match(at, '^%x+') then return end
  for run in string.gmatch(unsaid, '%S+ %d+') do mark(channel, 'late ' .. run) end
end

-- A feed asks under its own name and a number, such as 5f3a….7; the answer has both again.
local function feed_of(asker) return 'arauto:feed:' .. string.match(asker, '^%x+') end

local function leased(token)
  local lease = redis.call('HMGET', LEASE, 'token', 'expires')
  return lease[1] == token and now < tonumber(lease[2] or 0)
end
"""

PUBLISH = (
    _WRITE
    + """
-- fresh, most, age, channel, message -> receivers, position or false, why not or false
local channel, message = ARGV[4], ARGV[5]
if not redis.acl_check_cmd('PUBLISH', channel, '') then
  return redis.error_reply('NOPERM no permission to publish to this channel')
end
local at, why
if redis.acl_check_cmd('XADD', log_of(channel), '*', 'm', '')
   and redis.acl_check_cmd('HSET', HEADS, channel, '')
   and redis.acl_check_cmd('SPUBLISH', 'arauto:ids:' .. channel, '')
   and redis.acl_check_cmd('SPUBLISH', TO_RECORDER, '') then
  at, why = write(channel, 'm', message)
else
  why = 'NOPERM no permission to write the log'
end
if at then
  say(channel, at)
  mark(channel, 'next ' .. at)
  redis.pcall('SPUBLISH', TO_RECORDER, 'next ' .. channel)
end
return {redis.call('PUBLISH', channel, message), at or false, why or false}
"""
)

SYNC = (
    _WRITE
    + """
-- fresh, most, age, channel, asker -> how many heard: without its feed nothing is begun
local channel, asker = ARGV[4], ARGV[5]
local epoch, ms, n, closed = head(channel)
if closed then return 0 end
local at = position(epoch, ms, n)
local feed = feed_of(asker)
if redis.call('SPUBLISH', feed, table.concat({'sync', asker, at, channel}, ' ')) == 0 then return 0 end
say(channel, at)
redis.pcall('HSETNX', HEADS, channel, at)
if now < tonumber(redis.call('HGET', LEASE, 'expires') or 0) then
  redis.call('SPUBLISH', TO_RECORDER, table.concat({'sync', asker, channel}, ' '))
else
  local since = redis.call('HGET', LEASE, 'until') or '0'
  redis.call('SPUBLISH', feed, table.concat({'alone', asker, at, since, channel}, ' '))
end
return 1
"""
)

APPEND = (
    _WRITE
    + """
-- fresh, most, age, channel, token, 1 (tell) or 0, data ...
-- -> how many were written (-1: no lease), why not all
local channel, token = ARGV[4], ARGV[5]
if not leased(token) then return {-1, ''} end
local first, why
local written = 0
for i = 7, #ARGV do
  local at
  at, why = write(channel, 'o', ARGV[i])
  if not at then break end
  first = first or at
  written = written + 1
end
if first then
  local run = first .. ' ' .. written
  local unsaid = redis.pcall('HGET', UNSAID, channel)
  local all = unsaid and not failed(unsaid) and unsaid .. ' ' .. run or run
  if ARGV[6] == '1' or failed(redis.pcall('HSET', UNSAID, channel, all)) then
    say(channel, first)
    mark(channel, 'late ' .. run)
  end
end
return {written, why or ''}
"""
)

SAY = (
    _WRITE
    + """
-- fresh, most, age, token, channels: tells what was appended to them and not told yet
if not leased(ARGV[4]) then return 0 end
for i = 5, #ARGV do say(ARGV[i], position(head(ARGV[i]))) end
return 1
"""
)

ANSWER = (
    _WRITE
    + """
-- fresh, most, age, channel, token, asker, since when nothing is recorded or nothing
-- What was heard before the feed's question is in the log, unless nothing is recorded.
local channel, asker, since = ARGV[4], ARGV[6], ARGV[7]
if not leased(ARGV[5]) then return 0 end
local epoch, ms, n = head(channel)
local at = position(epoch, ms, n)
say(channel, at)
local said = since == '' and {'done', asker, at, channel} or {'alone', asker, at, since, channel}
return redis.call('SPUBLISH', feed_of(asker), table.concat(said, ' '))
"""
)

CLAIM = (
    _WRITE
    + """
-- fresh, milliseconds -> the token, or 0 while another recorder is at work
local expires = tonumber(redis.call('HGET', LEASE, 'expires') or 0)
-- No lease lasts longer than ours: where one does, the clock went back.
if now < expires and expires <= now + ARGV[2] then return 0 end
-- The time, so that no token comes again when Redis has been replaced by an empty one.
local token = math.max(now, tonumber(redis.call('HGET', LEASE, 'token') or 0) + 1)
redis.call('HSET', LEASE, 'token', string.format('%.0f', token))
redis.call('HSET', LEASE, 'expires', string.format('%.0f', now + ARGV[2]))
return token
"""
)

RENEW = (
    _WRITE
    + """
-- fresh, milliseconds (0: give it up; -1: and nobody needs it any more), token, until when all is in the
-- logs -> whether the lease is ours
if redis.call('HGET', LEASE, 'token') ~= ARGV[3] then return 0 end
if ARGV[2] == '-1' then return redis.call('DEL', LEASE) end
redis.call('HSET', LEASE, 'expires', string.format('%.0f', now + ARGV[2]))
if ARGV[4] ~= '0' then redis.call('HSET', LEASE, 'until', ARGV[4]) end
redis.call('SPUBLISH', TO_RECORDER, string.format('beat %s %.0f', ARGV[3], now))
return 1
"""
)

TAKE = (
    _WRITE
    + """
-- fresh, most, age, token, since when nobody listened (0: as the lease says), a channel or none for all,
-- whether a glob has it -> the refused and why, in turn. From here on the recorder has every message, and
-- all who listen know. A channel that was just switched on is taken by itself: only then it is heard.
local token = ARGV[4]
if not leased(token) then return redis.error_reply('FENCED another recorder is at work') end
local from = ARGV[5]
if from == '0' then from = redis.call('HGET', LEASE, 'until') or '0' end
local channels = ARGV[6] and {ARGV[6]} or redis.call('HKEYS', HEADS)
local refused = {}

local function take(channel)
  local epoch, ms, n, closed, known = head(channel)
  local begins = redis.pcall('HGET', SWITCHED, channel) == ''
  if begins and not ARGV[6] or closed and not begins and ARGV[7] ~= '1' then return nil, 'closed' end
  local at, why = position(epoch, ms, n), nil
  say(channel, at)
  if begins and not known and n == 0 then  -- the log begins here, and nobody has missed anything
    why = failed(redis.pcall('HSET', HEADS, channel, at))
  else
    local since = closed or (begins or from == '0') and ms or tonumber(from)
    at, why = write(channel, 'gap', string.format('%.0f', since), true)
  end
  if why then return nil, why end
  if begins then redis.pcall('HSET', SWITCHED, channel, string.format('%.0f', now)) end
  mark(channel, 'gap ' .. at)
end

for _, channel in ipairs(channels) do
  local _, why = take(channel)
  if why and (ARGV[6] or why ~= 'closed') then
    refused[#refused + 1] = channel
    refused[#refused + 1] = why
  end
end
if not ARGV[6] or not refused[1] then
  redis.call('SPUBLISH', TO_RECORDER, 'taken ' .. token .. ' ' .. (ARGV[6] or ''))
end
return refused
"""
)

SWITCH = (
    _WRITE
    + """
-- fresh, most, age, channel, whether it is to be recorded, how many can be -> nothing
local channel = ARGV[4]
if ARGV[5] == '1' then
  if redis.call('HEXISTS', SWITCHED, channel) == 0 then
    local wrong = no_stream(channel)
    if wrong then return wrong end
    if not redis.acl_check_cmd('XADD', log_of(channel), '*', 'm', '')
       or not redis.acl_check_cmd('HSET', HEADS, channel, '') then
      return redis.error_reply('NOPERM no permission to write the log')
    end
    if redis.call('HLEN', SWITCHED) >= tonumber(ARGV[6]) then return redis.error_reply('FULL') end
    redis.call('HSET', SWITCHED, channel, '')
  end
else
  redis.call('HDEL', SWITCHED, channel)
  local epoch, ms, n, closed, known = head(channel)
  if known and not closed then
    -- What others published after that may not be in the log.
    local since = math.min(now, tonumber(redis.call('HGET', LEASE, 'until') or 0))
    if since == 0 then since = ms end
    local ended = string.format('%s %.0f', position(epoch, ms, n), since)
    if failed(redis.pcall('HSET', HEADS, channel, ended)) then redis.call('HDEL', HEADS, channel) end
  end
end
redis.call('SPUBLISH', TO_RECORDER, 'look')
"""
)

FORGET = (
    _WRITE
    + """
-- fresh, most, age, channel, whether only if it is closed and empty -> whether there was a log
local channel, log = ARGV[4], log_of(ARGV[4])
local epoch, ms, n, closed, known = head(channel)
if ARGV[5] == '1' and not (closed and redis.call('XLEN', log) == 0) then return 0 end
local wrong = no_stream(channel)
if wrong then return wrong end
local gone = redis.call('UNLINK', log) + redis.call('HDEL', HEADS, channel)
if known and not closed then
  -- Those who follow go on in another log; what was heard before this belongs to the one that is gone.
  local at = position(new_epoch(), now, 0)
  redis.call('HSET', HEADS, channel, at)
  redis.call('SPUBLISH', TO_RECORDER, 'gone ' .. channel)
  mark(channel, 'gap ' .. at)
end
return gone
"""
)
