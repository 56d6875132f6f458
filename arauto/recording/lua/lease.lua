-- KEYS: the lease. ARGV: the command, milliseconds that a lease lasts; then for
-- claim: a token that is too low, milliseconds for which an expired lease is left to others; a lease that was
-- given by another run of Redis, before a restart or by another master, is void
-- -> the token of the new recorder, or 0 while another process is the recorder
-- renew: the token, until when all logs are complete, the channel of beats -> whether it is still the recorder
-- release: the token, 0, the channel of beats -> whether it was the recorder; others claim the lease at once
local LEASE, wanted, lasts = KEYS[1], ARGV[1], tonumber(ARGV[2])
local lacks = refusal({'TIME'}, {'HMGET', LEASE, 'token'}, {'HSET', LEASE, 'token', '0'})
if not lacks and ARGV[5] then lacks = refusal({'SPUBLISH', ARGV[5], ''}) end
if lacks then return lacks end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number) return string.format('%.0f', number) end

local lease = redis.call('HMGET', LEASE, 'token', 'expires', 'run')
local token, expires = tonumber(lease[1] or '') or 0, tonumber(lease[2] or '') or 0
if not (token < 9e14) then token = 0 end  -- no token has more than 15 digits

if wanted == 'claim' then
  local info, given = redis.pcall('INFO', 'server'), lease[3] or ''
  local here = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''  -- empty: not permitted
  local is_other = here ~= '' and given ~= '' and here ~= given
  -- All leases last equally long: if one expires later than ours would, the clock went back.
  if not is_other and now < expires + ARGV[4] and expires <= now + lasts then return 0 end
  -- The time, so that no token is used twice when Redis comes back empty.
  token = math.max(now, token + 1, ARGV[3] + 1)
  redis.call('HSET', LEASE, 'token', whole(token), 'expires', whole(now + lasts), 'run', here)
  return token
end
if tonumber(ARGV[3]) ~= token then return 0 end
if wanted == 'release' then
  redis.call('HSET', LEASE, 'expires', '0')
  ARGV[3] = '0'
else
  redis.call('HSET', LEASE, 'expires', whole(now + lasts))
end
redis.call('SPUBLISH', ARGV[5], table.concat({ARGV[3], whole(now), ARGV[4]}, ' '))
return 1
