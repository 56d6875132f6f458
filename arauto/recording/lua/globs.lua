-- KEYS: the globs of all servers. ARGV: milliseconds for which they are valid, those of this server.
-- -> the valid globs, and Redis's error if ours were refused, else false
local GLOBS, lasts = KEYS[1], tonumber(ARGV[1])
local lacks = refusal({'TIME'})
if lacks then return lacks end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function failed(reply) return type(reply) == 'table' and reply.err end

local why = false
for i = 2, #ARGV do
  why = why or failed(redis.pcall('ZADD', GLOBS, string.format('%.0f', now + lasts), ARGV[i]))
end
if #ARGV > 1 then redis.pcall('ZREMRANGEBYSCORE', GLOBS, '-inf', string.format('%.0f', now)) end
-- All are valid equally long: if one is valid longer than ours, the clock went back.
local from, to = string.format('(%.0f', now), string.format('%.0f', now + lasts)
return {redis.call('ZRANGEBYSCORE', GLOBS, from, to), why}
