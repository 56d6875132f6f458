-- Removes a log that is closed or never began, if it is empty.
-- ARGV: 1 to keep the field `off`, for recorders that do not know yet.
-- -> 1 if nothing is left of it
local head = read_head()
if head.epoch and not head.closed then return 0 end
local is_other = no_stream()
if not is_other and redis.call('XLEN', STREAM) > 0 then return 0 end
redis.call('UNLINK', HEAD, PROMISED, KEYS[4])
if not is_other then redis.call('UNLINK', STREAM) end
if ARGV[5] ~= '1' or head.off ~= '1' then return 1 end
redis.call('HSET', HEAD, 'off', '1')
return 0
