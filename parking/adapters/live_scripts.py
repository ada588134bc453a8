"""The conditional writes of folding, as scripts: nothing happens without the district's lease."""

from typing import Final

WRITE: Final = """
local token, ttl, streams = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('GET', KEYS[1]) ~= token then
  return 'lease'
end
local at = 4
for number = 1, streams do
  local applied = redis.call('HGET', KEYS[2], KEYS[7 + number]) or '0-0'
  if applied ~= ARGV[at] then
    return 'position ' .. KEYS[7 + number] .. ' ' .. applied
  end
  at = at + 2
end
local function each(size, step)
  local count = tonumber(ARGV[at])
  local first, last = at + 1, at + count
  at = last + 1
  while first <= last do
    local stop = math.min(first + size - 1, last)
    step(first, stop)
    first = stop + 1
  end
end
local function send(command, key, size)
  each(size, function(first, stop) redis.call(command, key, unpack(ARGV, first, stop)) end)
end
send('HSET', KEYS[3], 1000)
send('GEOADD', KEYS[4], 999)
send('ZREM', KEYS[4], 1000)
send('ZADD', KEYS[6], 1000)
send('ZREM', KEYS[6], 1000)
each(2, function(first) redis.call('HINCRBY', KEYS[5], ARGV[first], ARGV[first + 1]) end)
each(2, function(first)
  local heard = redis.call('HGET', KEYS[5], ARGV[first])
  if not heard or tonumber(heard) < tonumber(ARGV[first + 1]) then
    redis.call('HSET', KEYS[5], ARGV[first], ARGV[first + 1])
  end
end)
each(1, function(first) redis.call('XADD', KEYS[7], '*', 'c', ARGV[first]) end)
for number = 1, streams do
  local last = ARGV[3 + number * 2]
  redis.call('HSET', KEYS[2], KEYS[7 + number], last)
  redis.pcall('XGROUP', 'SETID', KEYS[7 + number], 'fold', last)
end
redis.call('PEXPIRE', KEYS[1], ttl)
return 'ok'
"""
"""Keys: lease, applied, bays, free, counts, due, changes, then the streams that were read.

Arguments: token, lease in ms, number of streams; for each the position read from and the last
entry; then eight lists, each led by its length: fields and values of `bays`; longitude, latitude
and bay that became free; bays that are free no more; instant and bay that falls due; bays with
nothing due; field and difference of `counts`; facility's field and instant heard; changes."""

TAKE: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[3] and ARGV[4] ~= '1' then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
RELEASE: Final = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
)


_HELD: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return nil
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
BEGIN: Final = (
    _HELD + "redis.call('SET', KEYS[2], 1) redis.call('DEL', KEYS[3], KEYS[4], KEYS[5]) return 1"
)
FINISH: Final = (
    _HELD + "redis.call('HSET', KEYS[3], unpack(ARGV, 3)) redis.call('DEL', KEYS[2]) return 1"
)
