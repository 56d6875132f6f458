-- KEYS: the lease. ARGV: our token; milliseconds that a lease lasts; whether we want it (1 or 0); milliseconds for
-- which an expired lease is left to others; stored if it is ours, or if Redis has none: until when all is passed on
-- (0: unknown), the state; what the time is now, at least, unless the clock went back (0: unknown);
-- whether to note that we wait for it, if another process has it (1 or 0)
-- -> our token, or 0: not ours; the time; the stored `until`; the state stored before; whether any process holds
-- it now (1 or 0); when a process that waits for it last asked; by how much the times are moved since the clock went back
local JITTER = 10  -- milliseconds: they are whole ones, and two clocks do not run equally fast
local UNKNOWN = 86400000  -- milliseconds: the clock went back while no process ran, and nobody knows how long that was
local LEASE, ours, lasts = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number) return string.format('%.0f', number) end

-- 0 in place of what is no time: somebody else has written it.
local function number(text)
  local read = tonumber(text or '') or 0
  return read >= 0 and read < 2 ^ 53 and read or 0
end

-- If the clock went back, times from before are moved with it, rather too far than too little: each process that
-- notices it moves what is stored.
local back = number(ARGV[7]) - now
back = back > JITTER and back + JITTER or 0

local function moved(at) return at > 0 and math.max(1, at - back) or 0 end

local lease = redis.call('HMGET', LEASE, 'token', 'expires', 'until', 'state', 'next')
local token, expires = number(lease[1]), number(lease[2])
local stored, given, wanted = moved(number(lease[3])), moved(number(ARGV[5])), moved(number(lease[5]))
if stored > now + JITTER then stored = now - UNKNOWN end
local answer = {0, now, stored, lease[4] or '', now < expires and 1 or 0, wanted, back}

if back > 0 and lease[3] then redis.call('HSET', LEASE, 'until', whole(stored), 'next', whole(wanted)) end

-- Redis has come back empty: what any process knows is kept for the next holder.
if not lease[3] and given > 0 and (ours == 0 or ours ~= token) then
  redis.call('HSET', LEASE, 'until', whole(given), 'state', ARGV[6])
  answer[3], answer[4] = given, ARGV[6]
end

if ours ~= 0 and ours == token then
  local is_kept = ARGV[3] == '1'
  redis.call('HSET', LEASE, 'expires', is_kept and whole(now + lasts) or '0', 'until', whole(given), 'state', ARGV[6])
  answer[1], answer[3], answer[5] = is_kept and token or 0, given, is_kept and 1 or 0
-- All leases last equally long: if one expires much later than ours would, the clock went back.
elseif ARGV[3] == '1' and (now >= expires + ARGV[4] or expires > now + 2 * lasts) then
  token = math.max(now, token + 1)  -- the time: no token is used twice, even when Redis comes back empty
  redis.call('HSET', LEASE, 'token', whole(token), 'expires', whole(now + lasts))
  answer[1], answer[5] = token, 1
elseif ARGV[3] == '1' and ARGV[8] == '1' then
  redis.call('HSET', LEASE, 'next', whole(now))
end
return answer
