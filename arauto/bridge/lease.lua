-- KEYS: the lease. ARGV: our token; milliseconds that a lease lasts; whether we want it (1 or 0); milliseconds for
-- which an expired lease is left to others; if it is ours, stored with it: until when all is passed on, the state
-- -> our token, or 0: not ours; the time; the stored `until`; the state stored before; whether any process holds
-- it now (1 or 0); when another process last asked for it
local LEASE, ours, lasts = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number) return string.format('%.0f', number) end

local lease = redis.call('HMGET', LEASE, 'token', 'expires', 'until', 'state', 'next')
local token, expires = tonumber(lease[1] or '') or 0, tonumber(lease[2] or '') or 0
local answer = {0, now, tonumber(lease[3] or '') or 0, lease[4] or '', now < expires and 1 or 0,
  tonumber(lease[5] or '') or 0}

if ours ~= 0 and ours == token then
  local is_kept = ARGV[3] == '1'
  redis.call('HSET', LEASE, 'expires', is_kept and whole(now + lasts) or '0', 'until', ARGV[5], 'state', ARGV[6])
  answer[1], answer[3], answer[5] = is_kept and token or 0, tonumber(ARGV[5]), is_kept and 1 or 0
-- All leases last equally long: if one expires later than ours would, the clock went back.
elseif ARGV[3] == '1' and (now >= expires + ARGV[4] or expires > now + lasts) then
  token = math.max(now, token + 1)  -- the time: no token is used twice, even when Redis comes back empty
  redis.call('HSET', LEASE, 'token', whole(token), 'expires', whole(now + lasts))
  answer[1], answer[5] = token, 1
elseif ARGV[3] == '1' then
  redis.call('HSET', LEASE, 'next', whole(now))
end
return answer
