"""What must happen in Redis at once, as Lua. Times are the server's own, so that bots need not agree on theirs.

Keys: `rules`, `states`, `episodes`, `paused`, `sending` are hashes, `due` a sorted set of targets by the time they may
be served next, `waiting:TARGET` a list of messages, `at:TARGET` the set of a target's rules, `next` and `version`
counters. Names of lists are built inside: in a Cluster all of them share one slot.
"""

from typing import Final

_NOW: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
"""

ADD: Final = """
if redis.call('SCARD', KEYS[4]) >= tonumber(ARGV[2]) then return -1 end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return -2 end
local number = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], number, ARGV[1])
redis.call('SADD', KEYS[4], number)
redis.call('INCR', KEYS[3])
return number
"""
"""KEYS rules, next, version, at:TARGET; ARGV rule, most of the target, most of all. -1 and -2 are those limits."""

REMOVE: Final = """
local removed = redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('SREM', KEYS[5], ARGV[1])
redis.call('INCR', KEYS[4])
return removed
"""
"""KEYS rules, states, episodes, version, at:TARGET; ARGV number."""

COMMIT: Final = (
    _NOW
    + """
local lost = {}
for i = 3, #ARGV, 5 do
  local number, target = ARGV[i], ARGV[i + 3]
  local episode = redis.call('HGET', KEYS[2], number) or '0'
  if redis.call('HEXISTS', KEYS[1], number) == 0 then
    lost[#lost + 1] = {number, '-1', ''}
  elseif episode ~= ARGV[i + 1] then
    lost[#lost + 1] = {number, episode, redis.call('HGET', KEYS[3], number) or ''}
  else
    redis.call('HSET', KEYS[3], number, ARGV[i + 2])
    if target ~= '' then
      redis.call('HINCRBY', KEYS[2], number, 1)
      redis.call('RPUSH', ARGV[1] .. target, ARGV[i + 4])
      redis.call('ZADD', KEYS[4], 'NX', now + ARGV[2], target)
    end
  end
end
return lost
"""
)
"""KEYS rules, episodes, states, due; ARGV prefix of `waiting`, delay in ms, then by fives: number, the episode that
must still be the stored one, state, target and message (both empty to store the state alone). Returns what was not
taken: number, episode (-1 for a rule that is gone) and state as stored."""

CLAIM: Final = (
    _NOW
    + """
local claimed = {}
for position, target in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[4])) do
  local batch, list = redis.call('HGET', KEYS[2], target), ARGV[1] .. target
  if not batch then
    local messages = redis.call('LRANGE', list, 0, ARGV[5] - 1)
    if #messages > 0 then
      batch = ARGV[3] .. position .. '\\n' .. table.concat(messages, '\\n')
      redis.call('LTRIM', list, ARGV[5], -1)
      redis.call('HSET', KEYS[2], target, batch)
    end
  end
  if batch then
    redis.call('ZADD', KEYS[1], now + ARGV[2], target)
    claimed[#claimed + 1] = {target, batch}
  else
    redis.call('ZREM', KEYS[1], target)
  end
end
return claimed
"""
)
"""KEYS due, sending; ARGV prefix of `waiting`, lease in ms, a new nonce, most targets, most messages of each.
A batch that was claimed before and not finished within its lease comes back as it was, nonce included."""

FINISH: Final = (
    _NOW
    + """
local batch, sent = redis.call('HGET', KEYS[2], ARGV[2]), ARGV[6] .. ARGV[3]
if not batch or string.sub(batch, 1, #ARGV[3] + 1) ~= ARGV[3] .. '\\n' then return redis.call('GET', sent) or '0' end
if ARGV[5] == 'later' then
  redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[2])
  return false
end
redis.call('SET', sent, ARGV[7], 'EX', 86400)
redis.call('HDEL', KEYS[2], ARGV[2])
if redis.call('LLEN', ARGV[1] .. ARGV[2]) > 0 then
  redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[2])
else
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return false
"""
)
"""KEYS due, sending; ARGV prefix of `waiting`, target, nonce, ms until the target may be served again, `done` or
`later` (the batch is kept), prefix of `sent`, the message. When another process has settled the batch, the id of its
message, or 0 where none is known; else nil. Whoever was paused and sent the batch again takes back what it sent."""

PAUSE: Final = """
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('HDEL', KEYS[3], ARGV[2])
redis.call('DEL', ARGV[1] .. ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
return redis.call('INCR', KEYS[4])
"""
"""KEYS paused, due, sending, version; ARGV prefix of `waiting`, target, reason. What waits for it is given up."""
