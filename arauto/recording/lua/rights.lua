-- The beginning of every script that writes, except for publishing.
-- Commands before a refused one are not undone, so each script checks its permissions first. The error names
-- the command, which that of Redis 7.0 does not do within a script.
local function refusal(...)
  for _, command in ipairs({...}) do
    if not redis.acl_check_cmd(unpack(command)) then
      local on = command[2] and ' on ' .. command[2] or ''
      return redis.error_reply('NOPERM no permission to run ' .. command[1] .. on)
    end
  end
end

