-- Converts the log of an earlier version, and keeps the channel switched on if it was.
-- ARGV: the channel, 1 if it can be recorded.
-- -> 1 if it was converted; 0 if there is none; or a text why not
local channel = ARGV[5]
local OLD, HEADS, SWITCHED, LEASE = 'arauto:log:' .. channel, 'arauto:logs', 'arauto:recorded', 'arauto:recorder'
local known = redis.call('HGET', HEADS, channel)
local since = redis.call('HGET', SWITCHED, channel)
if not known and not since then return 0 end
local kind = redis.call('TYPE', OLD).ok
if kind ~= 'none' and kind ~= 'stream' then return 'the key ' .. OLD .. ' is no stream' end

if since and ARGV[6] == '1' then redis.call('SADD', 'arauto:logs:switched', channel) end
local head = read_head()
if head.epoch or redis.call('EXISTS', STREAM) == 1 then
  redis.call('PEXPIRE', OLD, whole(AGE))
  redis.call('HDEL', HEADS, channel)
  redis.call('HDEL', SWITCHED, channel)
  return 'there is a newer one; ' .. OLD .. ' goes when it is old'
end

local last = redis.call('XREVRANGE', OLD, '+', '-', 'COUNT', 1)
local last_ms, last_number = string.match(last[1] and last[1][1] or '', '^(%d+)-(%d+)$')
last_ms, last_number = tonumber(last_ms or ''), tonumber(last_number or '')
local epoch, ms, number, closed = string.match(known or '', '^(%x+)%.(%d+)%-(%d+) ?(%d*)$')
ms, number, closed = tonumber(ms or ''), tonumber(number or ''), tonumber(closed or '')
if epoch or last_ms then
  local is_whole = epoch and (last_number or 0) <= number
  head.ms, head.number = math.max(ms or 0, last_ms or 0), math.max(number or 0, last_number or 0)
  head.epoch = is_whole and epoch or FRESH
  head.epochs = head.epoch .. ':' .. (is_whole and '0' or whole(head.number))
  head.begins_ms, head.begins = 0, 0
  head.closed, head.off = closed, closed and '1' or ''
  head['until'] = tonumber(redis.call('HGET', LEASE, 'until') or '') or head.ms
  head.owner, head.run, head.renewed = 0, '', ''
  local why = keep_head(head)
  if not why and kind == 'stream' then
    why = failed(redis.pcall('RENAMENX', OLD, STREAM))
    if why then redis.call('UNLINK', HEAD) end
  end
  if why then return redis.error_reply(why) end
end
redis.call('HDEL', HEADS, channel)
redis.call('HDEL', SWITCHED, channel)
return 1
