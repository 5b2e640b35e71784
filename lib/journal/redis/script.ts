import { createHash } from 'node:crypto';

/**
 * The one way to change the stream, in one step. An entry of the stream has the id `<era>-<offset>` and the fields
 * `epoch`, `link`, `after` (the link of the one before) and `entry`, which is empty where an epoch begins.
 *
 * KEYS: the stream; where the number of the writer's last batch is kept; where it is kept which run of the server has the
 * stream's end for sure.
 * ARGV: 1–4 what is known: epoch (empty: nothing), era, offset, link; 5 a name for a new epoch; 6 `1` to begin one in any
 * case; 7 the most entries to keep; 8 entries from before this time are removed (0: none); 9 how long to remember the
 * batch, in seconds; 10 `1` to compare the run of the server; 11 the batch's number (0: none); from 12 on its drafts.
 * Gives the end of the stream: epoch, id, link; and whether more could be removed.
 */
export const SCRIPT = `
local stream, writer, vouched = KEYS[1], KEYS[2], KEYS[3]
local known = { epoch = ARGV[1], era = tonumber(ARGV[2]), offset = tonumber(ARGV[3]), link = ARGV[4] }
local name, most, before = ARGV[5], ARGV[7], tonumber(ARGV[8])

-- As exact as needed: numbers are written with 14 digits.
local function id(mark) return mark.era .. '-' .. mark.offset end
local function compare(a, b) return a.era == b.era and a.offset - b.offset or a.era - b.era end
local function first(entries)
  if not entries[1] then return nil end
  local mark = {}
  local era, offset = string.match(entries[1][1], '^(%d+)-(%d+)$')
  mark.era, mark.offset = tonumber(era), tonumber(offset)
  for i = 1, #entries[1][2], 2 do mark[entries[1][2][i]] = entries[1][2][i + 1] end
  return mark
end
local function add(epoch, after, link, entry, mark)
  redis.call('XADD', stream, 'MAXLEN', '~', most, id(mark), 'epoch', epoch, 'link', link, 'after', after, 'entry', entry)
end

local head = first(redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1))

local function lost()
  if not head or not head.link then return true end
  if known.epoch == '' then return false end
  local ahead = compare(head, known)
  if ahead < 0 then return true end
  if head.epoch ~= known.epoch then return ahead == 0 end
  if ahead == 0 then return head.link ~= known.link end
  local there = first(redis.call('XRANGE', stream, id(known), id(known)))
  if there then return there.link ~= known.link end
  return compare(first(redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)), known) < 0
end

local function told(section, field)
  local info = redis.pcall('INFO', section)
  return type(info) == 'string' and string.match(info, field .. ':(%w+)') or ''
end

local run = ARGV[10] == '1' and told('server', 'run_id') .. told('replication', 'master_replid') or ''
local another = run ~= '' and redis.call('GET', vouched) ~= run

if ARGV[6] == '1' or lost() or (another and known.epoch == '') then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local last = head or { era = 0, offset = 0 }
  head = { epoch = name, link = name }
  head.era = math.max(now, known.era + 1, last.era + 1)
  head.offset = math.max(known.offset, last.offset)
  add(name, '', name, '', head)
end
if another then redis.call('SET', vouched, run) end

local batch = tonumber(ARGV[11])
if batch > 0 and batch > tonumber(redis.call('GET', writer) or '0') then
  for i = 12, #ARGV do
    local after = head.link
    head.link = string.sub(redis.sha1hex(after .. writer .. ARGV[11] .. ':' .. i), 1, 16)
    head.offset = head.offset + 1
    add(head.epoch, after, head.link, ARGV[i], head)
  end
  redis.call('SET', writer, ARGV[11], 'EX', ARGV[9])
end

local more = 0
if before > 0 then
  local oldest, kept = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1), 0
  local function old(entries)
    local mark = first(entries)
    if not mark or compare(mark, head) >= 0 then return false end
    local sound, entry = pcall(cjson.decode, mark.entry or '')
    return not sound or type(entry) ~= 'table' or type(entry.time) ~= 'number' or entry.time < before
  end
  if old(oldest) then
    local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1000)
    local i = 1
    while i < #entries and old({ entries[i] }) do i = i + 1 end
    redis.call('XTRIM', stream, 'MINID', entries[i][1])
    if i == #entries then more = 1 end
  end
end

return { head.epoch, id(head), head.link, more }
`;

export const SCRIPT_SHA = createHash('sha1').update(SCRIPT).digest('hex');
