-- Takes a message for one person, or gives it back.
-- KEYS: the stream, its head, the acknowledgements: a sorted set of "<id> <since> <name>" by the number of the id.
-- ARGV: the channel of announcements, the id, its number, the person's name (empty: give it back), how many
-- acknowledgements there may be.
-- -> the outcome, and the acknowledgement: the current one, or the one that was removed
local STREAM, HEAD, KEPT = KEYS[1], KEYS[2], KEYS[3]
local WORDS, id, number, by, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])

local lacks = refusal(
  {'TIME'}, {'HMGET', HEAD, 'epoch'}, {'XRANGE', STREAM, '-', '+'}, {'ZRANGEBYSCORE', KEPT, '0', '0'},
  {'ZREMRANGEBYSCORE', KEPT, '0', '0'}, {'ZADD', KEPT, '0', ''}, {'SPUBLISH', WORDS, ''}
)
if lacks then return lacks end

local head = redis.call('HMGET', HEAD, 'epoch', 'closed')
if (head[1] or '') == '' or (head[2] or '') ~= '' then return {'UNRECORDED', ''} end
local entry = redis.call('XRANGE', STREAM, id, id)[1]
local field = entry and entry[2][1]
if field ~= 'm' and field ~= 'o' then return {'UNKNOWN', ''} end  -- o: from an earlier version

local first = string.match(redis.call('XRANGE', STREAM, '-', '+', 'COUNT', 1)[1][1], '%d+$')

local function forget_trimmed() redis.call('ZREMRANGEBYSCORE', KEPT, '-inf', '(' .. first) end

local known = redis.call('ZRANGEBYSCORE', KEPT, number, number)[1]
if by == '' then
  if not known then return {'NOBODY', ''} end
  redis.call('ZREMRANGEBYSCORE', KEPT, number, number)
  forget_trimmed()
  redis.call('SPUBLISH', WORDS, 'acknowledged ' .. id .. ' 0 ')
  return {'GIVEN_BACK', known}
end
if known then return {'TAKEN', known} end
if redis.call('ZRANGEBYSCORE', KEPT, first, '+inf', 'LIMIT', most - 1, 1)[1] then return {'FULL', ''} end
local time = redis.call('TIME')
local taken = id .. ' ' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)) .. ' ' .. by
redis.call('ZADD', KEPT, number, taken)  -- first: after another write Redis would accept it even without memory
forget_trimmed()
redis.call('SPUBLISH', WORDS, 'acknowledged ' .. taken)
return {'DONE', taken}
