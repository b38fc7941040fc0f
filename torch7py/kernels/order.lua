-- Rows of keys brought into the order in which Torch7's quicksort leaves them, as positions.
--
-- Where all keys of a row differ there is one order, and the fastest way to it will do: a radix sort. Where some are
-- equal the quicksort is gone through, on the keys' ranks, which are the places where each one's equals begin in the
-- sorted row. A piece of the row holds the same elements before it is sorted and after, so the ranks tell which pieces
-- have no equal keys, and these are left out; and which have nothing else, and these need no comparing.
--
-- All memory is the caller's and comes as addresses; numbers of elements are below 2^31.

local include = ...
local ffi = require 'ffi'
local bit = require 'bit'
local band, bor, bxor, rshift, arshift, tobit = bit.band, bit.bor, bit.bxor, bit.rshift, bit.arshift, bit.tobit
local max = math.max
local ints, longs = ffi.typeof('int32_t*'), ffi.typeof('int64_t*')

local SMALL = 10                -- a piece of so many elements is left to the insertion sort
local DIGIT, BUCKETS = 11, 2048 -- bits that one pass of the radix sort looks at
local SIGN = -2147483648

local starts = ffi.new('int32_t[?]', BUCKETS + 1)
local stack = ffi.new('int32_t[?]', 128)

-- Ranks are not negative, so that a difference has the sign it should have.
local partition = include('partition')(function(a, b) return rshift(a - b, 31) end)

-- Words in the order of unsigned numbers. `real` is -1 for floating numbers, whose bits run backwards below 0, from -0
-- on; `flip` is -1 for the opposite order.
local function prepare_words(words, count, real, flip, high)
   for i = 0, count - 1 do
      local word = words[i]
      local backwards = band(arshift(word, 31), real)
      high[i] = bxor(bxor(word, bor(backwards, SIGN)) - backwards, flip)
   end
end

local function prepare_pairs(words, count, real, flip, high, low)
   for i = 0, count - 1 do
      local word = words[2 * i + 1]
      local backwards = band(arshift(word, 31), real)
      local lower = bxor(words[2 * i], backwards)
      -- One is added to both words; from the lower one it is carried where that is all ones.
      local more = lower + 1
      local carry = band(1 - rshift(bor(more, tobit(0 - more)), 31), -backwards)
      high[i] = bxor(bxor(word, bor(backwards, SIGN)) + carry, flip)
      low[i] = bxor(lower - backwards, flip)
   end
end

-- The bits in which numbers differ.
local function differing(numbers, count)
   local first, all = numbers[0], 0
   for i = 1, count - 1 do all = bor(all, bxor(numbers[i], first)) end
   return all
end

-- One pass: the places in `from` to `to`, in the order of one digit of their numbers.
local function pass(count, numbers, shift, from, to)
   ffi.fill(starts, 4 * (BUCKETS + 1))
   for i = 0, count - 1 do
      local bucket = band(rshift(numbers[i], shift), BUCKETS - 1) + 1
      starts[bucket] = starts[bucket] + 1
   end
   for bucket = 1, BUCKETS - 1 do starts[bucket] = starts[bucket] + starts[bucket - 1] end
   for i = 0, count - 1 do
      local place = from[i]
      local bucket = band(rshift(numbers[place], shift), BUCKETS - 1)
      local next = starts[bucket]
      to[next] = place
      starts[bucket] = next + 1
   end
end

-- Passes over all digits in which numbers differ. Returns where the places are, and where they are not.
local function passes(count, numbers, bits, from, to)
   for shift = 0, 31, DIGIT do
      if band(rshift(bits, shift), BUCKETS - 1) ~= 0 then
         pass(count, numbers, shift, from, to)
         from, to = to, from
      end
   end
   return from, to
end

-- How many elements up to each place of a sorted row are equal to the one before.
local function count_equals(order, n, first, high, low, equals)
   local last = order[0]
   local a, b, count = high[last], low[last], 0
   equals[0] = 0
   for i = 1, n - 1 do
      local place = order[i]
      local c, d = high[place], low[place]
      local differ = bor(bxor(a, c), bxor(b, d))
      -- 1 where they differ in no bit
      count = count + (1 - rshift(bor(differ, tobit(0 - differ)), 31))
      equals[i] = count
      a, b = c, d
   end
   return count
end

local function rank(order, n, first, equals, ranks)
   local start, before = 0, 0
   ranks[order[0] - first] = 0
   for i = 1, n - 1 do
      local now = equals[i]
      -- i where a new number begins, else as before
      start = max(start, (1 + before - now) * i)
      before = now
      ranks[order[i] - first] = start
   end
end

local function fill_places(places, n)
   for i = 0, n - 1 do places[i] = i end
end

local function swap(places, i, j) places[i], places[j] = places[j], places[i] end

-- The same where all are equal: every element changes places with its opposite.
local function turn_round(places, low, high)
   swap(places, rshift(low + high, 1), low + 1)
   local i, j = low + 2, high - 1
   while i <= j do
      swap(places, i, j)
      i, j = i + 1, j - 1
   end
   swap(places, low, j)
   return i, j
end

local function worth_it(equals, low, high)
   return high - low >= SMALL and equals[high] > equals[low]
end

-- Partitions pieces of more than SMALL elements among which some are equal until none is left.
local function break_up(ranks, places, equals, low, high)
   local top = 0
   while true do
      local i, j
      if equals[high] - equals[low] == high - low then
         i, j = turn_round(places, low, high)
      else
         i, j = partition(ranks, places, low, high)
      end
      local left, right = worth_it(equals, low, j - 1), worth_it(equals, i, high)
      if left and right then
         -- The longer one waits: so few do.
         if j - 1 - low > high - i then
            stack[top], stack[top + 1] = low, j - 1
            low = i
         else
            stack[top], stack[top + 1] = i, high
            high = j - 1
         end
         top = top + 2
      elseif left then
         high = j - 1
      elseif right then
         low = i
      else
         if top == 0 then return end
         top = top - 2
         low, high = stack[top], stack[top + 1]
      end
   end
end

-- The insertion sort over all of it moves nothing past an equal element: each goes to the next place of its rank.
local function insert(ranks, places, nexts, n, out)
   for i = 0, n - 1 do nexts[i] = i end
   for i = 0, n - 1 do
      local of = ranks[i]
      local next = nexts[of]
      out[next] = places[i]
      nexts[of] = next + 1
   end
end

local function hand_over(order, n, first, out)
   for i = 0, n - 1 do out[i] = order[i] - first end
end

-- Positions of the elements of each row in sorted order, from 0, into `out`.
local function finish(order, n, first, high, low, free, out)
   local equals, ranks, places, nexts = free, free + n, free + 2 * n, free + 3 * n
   if n > SMALL + 1 and count_equals(order, n, first, high, low, equals) > 0 then
      rank(order, n, first, equals, ranks)
      fill_places(places, n)
      break_up(ranks, places, equals, 0, n - 1)
      insert(ranks, places, nexts, n, out)
   else
      hand_over(order, n, first, out)
   end
end

-- The last of the elements that come most often (of several the least), where the sort leaves it.
local function most_frequent(order, n, first, high, low, free)
   local equals, ranks, places = free, free + n, free + 2 * n
   if count_equals(order, n, first, high, low, equals) == 0 then return order[0] - first end
   local start, longest, target = 0, 0, 0
   for i = 1, n do
      if i == n or equals[i] == equals[i - 1] then
         if i - start > longest then longest, target = i - start, i - 1 end
         start = i
      end
   end
   rank(order, n, first, equals, ranks)
   fill_places(places, n)
   local from, to = 0, n - 1
   if n > SMALL + 1 then
      -- Only the pieces in which it lies.
      while worth_it(equals, from, to) do
         local i, j
         if equals[to] - equals[from] == to - from then
            i, j = turn_round(places, from, to)
         else
            i, j = partition(ranks, places, from, to)
         end
         if target < j then to = j - 1 elseif target >= i then from = i else from, to = target, target end
      end
   end
   local wanted = target - longest + 1
   while ranks[to] ~= wanted do to = to - 1 end
   return places[to]
end

-- words: rows x n keys of `width` words of 32 bits, lower word first. scratch: 5 * `chunk` + 4 * n words for `chunk`
-- elements, some whole rows. out: rows x n longs, or with `mode` a long for each row.
return function(words, width, real, flip, rows, n, chunk, scratch, out, mode)
   words, scratch, out = ffi.cast(ints, words), ffi.cast(ints, scratch), ffi.cast(longs, out)
   local high, low, row = scratch, scratch + chunk, scratch + 2 * chunk
   local one, other, free = scratch + 3 * chunk, scratch + 4 * chunk, scratch + 5 * chunk
   local together = chunk / n
   for i = 0, chunk - 1 do low[i] = 0 end
   for r = 0, together - 1 do
      for i = r * n, (r + 1) * n - 1 do row[i] = r end
   end
   for start = 0, rows - 1, together do
      local now = math.min(together, rows - start)
      local count = now * n
      local bits = 0
      if width == 2 then
         prepare_pairs(words + 2 * start * n, count, real, flip, high, low)
         bits = differing(low, count)
      else
         prepare_words(words + start * n, count, real, flip, high)
      end
      -- Where the lower words are all the same they need not be looked at again.
      local other_word = bits == 0 and high or low
      fill_places(one, count)
      local order, spare = passes(count, low, bits, one, other)
      order, spare = passes(count, high, differing(high, count), order, spare)
      if now > 1 then order, spare = passes(count, row, now - 1, order, spare) end
      for r = 0, now - 1 do
         local first = r * n
         if mode then
            out[start + r] = most_frequent(order + first, n, first, high, other_word, free)
         else
            finish(order + first, n, first, high, other_word, free, out + (start + r) * n)
         end
      end
   end
end
