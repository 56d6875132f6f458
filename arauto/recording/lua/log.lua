-- The beginning of every script about the log of one channel.
-- KEYS: the stream, its head, the promised messages; to delete or drop the log, its acknowledgements.
-- ARGV: the channel of announcements, how many entries and how many milliseconds to keep, a name for the
-- next epoch; then the script's own arguments.
local STREAM, HEAD, PROMISED = KEYS[1], KEYS[2], KEYS[3]
local WORDS, MOST, AGE, FRESH = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local NEEDS = {
  TIME = {}, HMGET = {HEAD, 'epoch'}, TYPE = {STREAM}, XREVRANGE = {STREAM, '+', '-'},
  SPUBLISH = {WORDS, ''}, HSET = {HEAD, 'epoch', ''}, HDEL = {HEAD, 'run'},
  XADD = {STREAM, '*', 'm', ''}, XDEL = {STREAM, '0-1'}, UNLINK = {PROMISED},
  LLEN = {PROMISED}, LINDEX = {PROMISED, 0}, LPOP = {PROMISED}, LRANGE = {PROMISED, 0, -1},
}

local function refused(...)
  local commands = {}
  for i, name in ipairs({...}) do commands[i] = {name, unpack(NEEDS[name])} end
  return refusal(unpack(commands))
end

local lacks = refused('TIME', 'HMGET', 'TYPE')
if lacks then return lacks end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number) return string.format('%.0f', number) end

local function failed(reply) return type(reply) == 'table' and reply.err end

-- The run id of Redis. Without permission for INFO all are the same.
local function run()
  local info = redis.pcall('INFO', 'server')
  return not failed(info) and string.match(info, 'run_id:(%w+)') or ''
end

-- Readers accept numbers of up to 15 digits. Counting on from a foreign entry must not exceed that.
local function plausible(text)
  local number = string.match(text or '', '^%d+$') and tonumber(text)
  return number and number < 9e14 and number or nil
end

local TEXTS = {'epoch', 'renewed', 'epochs', 'run', 'off'}
local NUMBERS = {'ms', 'number', 'owner', 'until', 'closed', 'begins_ms', 'begins'}

-- The head. Its ``epoch`` is false if there is no log.
local function read_head()
  local head = {}
  local texts, numbers = redis.call('HMGET', HEAD, unpack(TEXTS)), redis.call('HMGET', HEAD, unpack(NUMBERS))
  for i, name in ipairs(TEXTS) do head[name] = texts[i] or '' end
  for i, name in ipairs(NUMBERS) do head[name] = plausible(numbers[i]) end
  if head.epoch == '' or not (head.ms and head.number) then head.epoch = false end
  head.owner, head['until'] = head.owner or 0, head['until'] or 0
  return head
end

-- Writes the head, or returns Redis's error.
local function keep_head(head)
  local fields = {}
  local function put(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  for _, name in ipairs(TEXTS) do put(name, head[name] or '') end
  for _, name in ipairs(NUMBERS) do put(name, head[name] and whole(head[name]) or '') end
  return failed(redis.pcall('HSET', HEAD, unpack(fields)))
end

local function announce(...) redis.call('SPUBLISH', WORDS, table.concat({...}, ' ')) end

-- The key may belong to another application.
local function no_stream()
  local kind = redis.call('TYPE', STREAM).ok
  if kind ~= 'none' and kind ~= 'stream' then
    return redis.error_reply('WRONGTYPE the key ' .. STREAM .. ' is no stream')
  end
end

-- Begins an epoch at the end of the log. Only the last epochs are kept in the head.
local function begin_epoch(head)
  head.epoch = FRESH
  head.epochs = string.match(head.epochs .. ' ' .. FRESH .. ':' .. whole(head.number), '^ ?(.*)$')
  while #head.epochs > 2000 do head.epochs = string.match(head.epochs, '^%S+ (.*)$') end
  head.begins_ms, head.begins = head.ms, head.number
end

-- Adds an entry at the end of the log and moves the end in ``head``, or returns Redis's error.
local function add(head, field, value)
  local ms, number = math.max(head.ms, now), head.number + 1
  local id = whole(ms) .. '-' .. whole(number)
  local why = failed(redis.pcall('XADD', STREAM, 'MAXLEN', '~', MOST, id, field, value))
  if why then return why end
  head.ms, head.number = ms, number
  if number % 64 == 0 then redis.pcall('XTRIM', STREAM, 'MINID', '~', whole(now - AGE)) end
end
