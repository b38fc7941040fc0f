"""Reads a file line by line: counts its words, finds numbers and settings in it, and writes a report to another.

word_count.lua. Translated from word_count.lua by torch7py."""

import contextlib
import os
import re
import tempfile

text = '# The tortoise and the hare\nspeed = 12\nA hare laughed at a tortoise: "You are slow!" said the hare.\n"I may be slow," said the tortoise, "but I will win a race."\ndistance = 1500\nThe hare ran, and slept; the tortoise walked, and walked.\nAt 10 o\'clock the tortoise had won. The hare woke at 11.\n'


def lua_sort(items, before, low=0, high=None):
    """Sort a list by Lua's own quicksort, so that equal items end up in the same order."""
    high = len(items) - 1 if high is None else high
    if low >= high:
        return

    def swap(i, j):
        items[i], items[j] = items[j], items[i]

    if before(items[high], items[low]):
        swap(low, high)
    middle = (low + high) // 2
    if high - low > 1:
        if before(items[middle], items[low]):
            swap(middle, low)
        elif before(items[high], items[middle]):
            swap(middle, high)
    if high - low < 3:
        return
    swap(middle, high - 1)
    pivot, i, j = items[high - 1], low, high - 1
    while True:
        while before(items[i := i + 1], pivot):
            if i >= high:
                raise RuntimeError("invalid order function for sorting")
        while before(pivot, items[j := j - 1]):
            if j <= low:
                raise RuntimeError("invalid order function for sorting")
        if j < i:
            break
        swap(i, j)
    swap(high - 1, i)
    lua_sort(items, before, low, i - 1)
    lua_sort(items, before, i + 1, high)


def main():
    path, reportPath = tempfile.mkstemp()[1], tempfile.mkstemp()[1]
    with open(path, "w") as out:
        out.write(text)

    counts, settings, numbers = {}, {}, []
    lines, title = 0, None
    with open(path) as file:
        for line in file:
            line = line.rstrip("\n")
            lines += 1
            m = re.match(r"([A-Za-z]+)\s*=\s*(\d+)\Z", line)
            key, value = m.groups() if m else (None, None)
            if line[:1] == "#":
                title = re.sub(r"\A#\s*", "", line)
            elif key is not None:
                settings[key] = float(value)
            else:
                for word in re.findall("[A-Za-z']+", line.lower()):
                    counts[word] = counts.get(word, 0) + 1
                for number in re.findall(r"\d+", line):
                    numbers.append(float(number))

    print(f'"{title}" has {lines} lines')
    for key, value in sorted(settings.items()):
        print(key, f"{value:.14g}", sep="\t")
    print(f"numbers: {' '.join(f'{x:.14g}' for x in numbers)}")

    # The most frequent words first, those of the same frequency by the alphabet.
    words = sorted(counts)

    def function(a, b):
        if counts.get(a) != counts.get(b):
            return counts.get(a) > counts.get(b)
        return a < b

    lua_sort(words, function)
    for rank in range(1, 6):
        word = words[rank - 1]
        print(f"{rank}. {word:<10} {counts.get(word):3d} {'*' * counts.get(word)}")

    # Words by their length: a table of lists.
    byLength, longest = {}, 0
    for word in words:
        length = len(word)
        if length not in byLength:
            byLength[length] = []
        byLength[length].append(word)
        longest = max(longest, length)
    with open(reportPath, "w") as report:
        for length in range(longest, 0, -1):
            list_ = byLength.get(length)
            if list_ is not None:
                list_.sort()
                report.write(f"{length}: {' '.join(list_)}\n")

    with open(reportPath) as input_:
        print(input_.readline().rstrip("\n"))
        rest = input_.read()
    _, more = re.subn(r"\n", "\n", rest)
    print(f"{more} more lines, {'with' if 'hare' in rest else 'without'} a hare")
    print(re.sub(r"\s+", " ", text)[:40] + "...")
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
    with contextlib.suppress(FileNotFoundError):
        os.remove(reportPath)


if __name__ == "__main__":
    main()
