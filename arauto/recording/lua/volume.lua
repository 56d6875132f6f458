-- Finds entries by time and by number, without returning their messages, which may be large.
-- KEYS: the stream. ARGV: the start and end of a span in Unix milliseconds, how many parts, then numbers.
-- -> for the beginning of each part and for the end, the number of the first entry from then on (or of the next
-- entry to be written); then, for each number behind which a gap entry follows within the span, when that was
-- written and since when messages may be missing
local STREAM, FROM, TO, PARTS = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local function first(ms, number)
  local id = string.format('%.0f-%.0f', ms, number or 0)
  local entry = redis.call('XRANGE', STREAM, id, '+', 'COUNT', 1)[1]
  if not entry then return end
  local at, found = string.match(entry[1], '^(%d+)-(%d+)$')
  return tonumber(found), at, entry[2]
end

local last = redis.call('XREVRANGE', STREAM, '+', '-', 'COUNT', 1)[1]
local next_number = last and tonumber(string.match(last[1], '%d+$')) + 1 or 1
local places, gaps = {}, {}
for part = 0, PARTS do
  places[#places + 1] = first(FROM + math.floor((TO - FROM) * part / PARTS)) or next_number
end
for at = 4, #ARGV do
  local number = tonumber(ARGV[at])
  local low, high = FROM, TO  -- numbers rise with time
  while low < high do
    local middle = math.floor((low + high) / 2)
    if (first(middle) or next_number) > number then high = middle else low = middle + 1 end
  end
  local _, ms, fields = first(math.max(low - 1, 0), number + 1)
  if ms and tonumber(ms) >= FROM and tonumber(ms) < TO and fields[1] == 'gap' then
    gaps[#gaps + 1] = ms
    gaps[#gaps + 1] = fields[2]
  end
end
return {places, gaps}
