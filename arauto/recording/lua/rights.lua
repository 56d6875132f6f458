-- The beginning of every script that changes something, but for publishing.
-- A script that is refused a command half way has done the rest, so each asks first: for the error, if any.
-- And Redis 7.0 does not say which command was refused within a script.
local function refusal(...)
  for _, command in ipairs({...}) do
    if not redis.acl_check_cmd(unpack(command)) then
      local on = command[2] and ' on ' .. command[2] or ''
      return redis.error_reply('NOPERM no permission to run ' .. command[1] .. on)
    end
  end
end

