-- The epoch, milliseconds and number behind which to read, up to which number (empty: to the end), how many
-- entries at most. -> epoch, milliseconds and number of the log's end; now; until when it lacks nothing; 1 if it is
-- another log, which is read from its beginning then; 1 if Redis was restarted since; the milliseconds and
-- number behind which was read; the entries
local epoch, ms, number, last = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local wrong = refused('XRANGE')
if wrong then return wrong end
local head = read_head()
if not head.epoch then return false end

-- Whether the log has the same entries up to that number as whoever names it knows.
local function goes_back_to()
  local is_found, most = false, head.number
  for name, first in string.gmatch(head.epochs, '(%x+):(%d+)') do
    if is_found then most = math.min(most, tonumber(first)) end
    is_found = is_found or name == epoch
  end
  return is_found and number <= most
end

local is_other = not goes_back_to()
if is_other then ms, number, last = whole(head.begins_ms), head.begins, nil end
local from = '(' .. ms .. '-' .. whole(number)
local to = whole(head.ms) .. '-' .. whole(head.number)
local entries = redis.call('XRANGE', STREAM, from, to, 'COUNT', ARGV[9])
return {head.epoch, whole(head.ms), whole(head.number), whole(now), whole(head['until']),
  is_other and 1 or 0, head.run ~= run() and 1 or 0, ms, whole(number), entries}
