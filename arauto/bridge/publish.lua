-- KEYS: the lease. ARGV: our token; then a channel and a message for each that is to be published
-- -> how many were published, and the error of the next one; or -1: the lease is not ours
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return {-1, ''} end
for at = 2, #ARGV, 2 do
  local reply = redis.pcall('PUBLISH', ARGV[at], ARGV[at + 1])
  if type(reply) == 'table' and reply.err then return {(at - 2) / 2, reply.err} end
end
return {(#ARGV - 1) / 2, ''}
