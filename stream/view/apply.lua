-- Applies records of one partition to the view: all of them, and the offset up to which they reach, or nothing.
--
-- Whatever is sent twice, or late, changes nothing: records below the stored offset are skipped; a score stands only
-- against a lower revision; a change only once by its id; an index against no later time; a profile against the one
-- before it in its partition. So the view is a function of the set of events, and never disagrees with its offsets.
--
-- KEYS  1 the pointer that must name the generation (`generation`, or `rebuilding` while one is made)
--       2 the live stream   3 its offsets
-- ARGV  1 root of the generation's keys   2 generation   3 source (topic/partition)   4 topic
--       5 offset from which the sender has read on   6 offset of the record after the last
--       7 latest event time in ms, or ""   8 "live" if new events go to the live stream   9 most entries there
--       10 most points of a history   11 most changes of an incident; then for each record:
--       kind, offset, id, key, event time in ms, event, how many more there are, and these: what its kind needs.
-- Gives {"ok", new, repeated}; {"moved", generation now}; {"behind", offset from which to read on}.

local root, generation, source, topic = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local from, to = tonumber(ARGV[5]), tonumber(ARGV[6])
local latest, to_live, live_most = ARGV[7], ARGV[8] == "live", ARGV[9]
local history_most, changes_most = tonumber(ARGV[10]), tonumber(ARGV[11])
local FIRST_RECORD = 12

local current = redis.call("GET", KEYS[1]) or ""
if current ~= generation then
  return {"moved", current}
end
local stored = tonumber(redis.call("HGET", root .. "offsets", source) or "0")
if from > stored then -- Redis has lost what came between (a failover, an older snapshot): it is read again
  return {"behind", string.format("%.0f", stored)}
end
local live_stored = tonumber(redis.call("HGET", KEYS[3], source) or "0")

local at = FIRST_RECORD
local function take()
  at = at + 1
  return ARGV[at - 1]
end

local LOUDEST_MOST = 100 -- incidents of a month's recap; a page of it shows some twenty
local TOLD_MOST = 1000 -- events of it: half a megabyte a month, for years

-- How loud an incident was at most in a month. What falls out was below all that stay, whatever comes in which order.
local function keep_loudest(month, noise, incident)
  local loudest = root .. "loudest:" .. month
  local held = redis.call("ZSCORE", loudest, incident)
  if held and tonumber(held) >= tonumber(noise) then
    return
  end
  redis.call("ZADD", loudest, noise, incident)
  if redis.call("ZCARD", loudest) > LOUDEST_MOST then
    redis.call("ZREMRANGEBYRANK", loudest, 0, -LOUDEST_MOST - 1)
  end
end

-- The last point of each cell of time stands; the latest cells are kept.
local function keep_point(incident, revision, cell, point)
  local history = root .. "history:" .. incident
  local held = redis.call("ZRANGEBYSCORE", history, cell, cell)[1]
  if held then
    if tonumber(string.match(held, "^%[(%d+)")) >= revision then
      return
    end
    redis.call("ZREM", history, held)
  end
  redis.call("ZADD", history, cell, point)
  if redis.call("ZCARD", history) > history_most then
    redis.call("ZREMRANGEBYRANK", history, 0, -history_most - 1)
  end
end

local kinds = {}

-- revision, number of the cell of time, point of the history, key of the leaderboard or "" (not on it), time of the
-- latest coverage, number of boards and their names; number of months, then for each: month, noise
function kinds.score(incident, event)
  local revision, cell, point, board_key, covered = tonumber(take()), take(), take(), take(), take()
  local boards = {}
  for number = 1, tonumber(take()) do
    boards[number] = take()
  end
  for _ = 1, tonumber(take()) do
    local month, noise = take(), take()
    keep_loudest(month, noise, incident)
  end
  keep_point(incident, revision, cell, point)
  local mark = redis.call("HGET", root .. "marks", incident)
  if mark then
    local before, left = string.match(mark, "^(%d+) (.*)$")
    if tonumber(before) >= revision then
      return false
    end
    for board in string.gmatch(left, "[^\n]+") do
      redis.call("ZREM", root .. "board:" .. board, incident)
    end
  end
  redis.call("HSET", root .. "marks", incident, string.format("%.0f ", revision) .. table.concat(boards, "\n"))
  redis.call("HSET", root .. "scores", incident, event)
  if board_key == "" then
    redis.call("ZREM", root .. "board", incident)
    redis.call("ZREM", root .. "recent", incident)
    return true
  end
  redis.call("ZADD", root .. "board", board_key, incident)
  redis.call("ZADD", root .. "recent", covered, incident)
  for _, board in ipairs(boards) do
    redis.call("ZADD", root .. "board:" .. board, board_key, incident)
  end
  return true
end

-- What is let go of moves its topic's floor up: an incident's changes come in order within a topic, so whatever lies
-- below the floor has been here; of the floor's own revision, the ids it names. (Between topics there is no order: one
-- that is late may bring what is older than all that is kept, and yet is news.)
local function below_floor(changes, revision, id)
  local floor = redis.call("HGET", changes, "floor " .. topic)
  if not floor then
    return false
  end
  local floor_revision = tonumber(string.match(floor, "^%d+"))
  return revision < floor_revision
    or (revision == floor_revision and string.find(floor, "\n" .. id .. "\n", 1, true) ~= nil)
end

local function let_go_of_the_oldest(changes, order)
  local id, revision = unpack(redis.call("ZRANGE", order, 0, 0, "WITHSCORES"))
  local field = "floor " .. string.match(redis.call("HGET", changes, id), "^%S+")
  redis.call("ZREM", order, id)
  redis.call("HDEL", changes, id)
  revision = string.format("%.0f", revision)
  local floor = redis.call("HGET", changes, field)
  if not floor or string.match(floor, "^%d+") ~= revision then
    floor = revision .. "\n"
  end
  redis.call("HSET", changes, field, floor .. id .. "\n")
end

-- revision, month in whose recap it is told or ""
function kinds.change(incident, event, id, at_ms)
  local revision, month = tonumber(take()), take()
  local changes, order = root .. "changes:" .. incident, root .. "order:" .. incident
  if redis.call("HEXISTS", changes, id) == 1 or below_floor(changes, revision, id) then
    return false
  end
  redis.call("ZADD", order, revision, id)
  redis.call("HSET", changes, id, topic .. " " .. event)
  if redis.call("ZCARD", order) > changes_most then
    let_go_of_the_oldest(changes, order)
  end
  if month ~= "" then
    local told = root .. "told:" .. month
    redis.call("ZADD", told, at_ms, id .. "\n" .. topic .. " " .. event)
    if redis.call("ZCARD", told) > TOLD_MOST then
      redis.call("ZREMRANGEBYRANK", told, 0, -TOLD_MOST - 1)
    end
  end
  return true
end

-- The last point of each cell stands, as of an incident's history.
local function keep_index_point(category, cell, at_ms, point)
  local history = root .. "index-history:" .. category
  local held = redis.call("ZRANGEBYSCORE", history, cell, cell)[1]
  if held then
    if tonumber(string.match(held, "^%[(%d+)")) > tonumber(at_ms) then
      return
    end
    redis.call("ZREM", history, held)
  end
  redis.call("ZADD", history, cell, point)
  if redis.call("ZCARD", history) > history_most then
    redis.call("ZREMRANGEBYRANK", history, 0, -history_most - 1)
  end
end

-- number of the cell of time, point of the history.
-- Of one time the later record stands: a sum over the same moment may be corrected.
function kinds.index(category, event, _, at_ms)
  local cell, point = take(), take()
  keep_index_point(category, cell, at_ms, point)
  local held = redis.call("HGET", root .. "index-times", category)
  if held and tonumber(held) > tonumber(at_ms) then
    return false
  end
  redis.call("HSET", root .. "index-times", category, at_ms)
  if redis.call("HGET", root .. "index", category) == event then
    return false
  end
  redis.call("HSET", root .. "index", category, event)
  return true
end

-- number of parties, then for each: folded name, party
function kinds.profile(incident, event)
  local names, parties = {}, {}
  for number = 1, tonumber(take()) do
    names[number], parties[number] = take(), take()
  end
  if redis.call("HGET", root .. "profiles", incident) == event then
    return false
  end
  redis.call("HSET", root .. "profiles", incident, event)
  local before = redis.call("HGET", root .. "parties", incident) or ""
  for name in string.gmatch(before, "[^\n]+") do
    redis.call("HDEL", root .. "figure:" .. name, incident)
    if tonumber(redis.call("ZINCRBY", root .. "figures", -1, name)) <= 0 then
      redis.call("ZREM", root .. "figures", name)
    end
  end
  redis.call("HSET", root .. "parties", incident, table.concat(names, "\n"))
  for number, name in ipairs(names) do
    redis.call("HSET", root .. "figure:" .. name, incident, parties[number])
    redis.call("ZINCRBY", root .. "figures", 1, name)
  end
  return true
end

local new, repeated = 0, 0
while at <= #ARGV do
  local kind, offset, id, key, at_ms, event = take(), tonumber(take()), take(), take(), take(), take()
  local more = tonumber(take())
  if offset < stored then
    at = at + more
    repeated = repeated + 1
  else
    if kinds[kind](key, event, id, at_ms) then
      new = new + 1
      if to_live and offset >= live_stored then
        redis.call("XADD", KEYS[2], "MAXLEN", "~", live_most, "*",
          "topic", topic, "id", id, "key", key, "at", at_ms, "event", event)
      end
    else
      repeated = repeated + 1
    end
  end
end

if to > stored then
  redis.call("HSET", root .. "offsets", source, ARGV[6])
end
if to_live and to > live_stored then
  redis.call("HSET", KEYS[3], source, ARGV[6])
end
if latest ~= "" then
  local held = redis.call("HGET", root .. "about", "latest_ms")
  if not held or tonumber(held) < tonumber(latest) then
    redis.call("HSET", root .. "about", "latest_ms", latest)
  end
end
return {"ok", new, repeated}
