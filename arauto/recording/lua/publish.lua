-- KEYS: the head of the channel's log, its promised messages.
-- ARGV: the channel, the message, its digest, how many messages may be promised.
-- The message is published even if the log cannot be written.
-- -> receivers, 1 if it is promised, Redis's error if it was refused, else false
local head, promised, channel, message = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
if not redis.acl_check_cmd('PUBLISH', channel, '') then
  return redis.error_reply('NOPERM no permission to publish to this channel')
end

local function failed(reply) return type(reply) == 'table' and reply.err end

-- -> 1 if the message is promised, and Redis's error if not
local function promise()
  local known = redis.pcall('HMGET', head, 'epoch', 'off')
  if failed(known) then return 0, known.err end
  if not known[1] or known[2] == '1' then return 0 end
  local many = redis.pcall('LLEN', promised)
  if failed(many) then return 0, many.err end
  if many >= tonumber(ARGV[4]) then return 0 end
  local why = failed(redis.pcall('RPUSH', promised, ARGV[3] .. ' ' .. message))
  return why and 0 or 1, why
end

local is_promised, why = promise()
return {redis.call('PUBLISH', channel, message), is_promised, why or false}
