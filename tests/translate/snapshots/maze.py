"""Learns the way through a maze by trying: a table of values for each place and direction (Q-learning), no network.

maze.lua [episodes] Translated from maze.lua by torch7py."""

import math
import random
import sys

import torch

episodes = int(sys.argv[1]) if len(sys.argv) > 1 else 60


def lua_sub(text, first, last=-1):
    """The characters from the first place to the last, counted from 1 or, where negative, back from the end."""
    first = max(first if first >= 0 else len(text) + first + 1, 1)
    last = last if last >= 0 else len(text) + last + 1
    return text[int(first) - 1 : max(int(last), 0)]


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(4)
    random.seed(4)

    rows = ["#########", "#S..#...#", "#.#...#.#", "#.###.#.#", "#...#..G#", "#########"]
    moves = {"north": [-1, 0], "south": [1, 0], "west": [0, -1], "east": [0, 1]}
    names = ["north", "south", "west", "east"]

    # Where the start is, and what stands at a place.
    def at(row, column):
        return lua_sub(rows[row - 1], column, column)

    startRow = None
    startColumn = None
    for row in range(1, len(rows) + 1):
        column = rows[row - 1].find("S") + 1 or None
        if column is not None:
            startRow, startColumn = row, column

    # values[row][column][name]
    values = []
    for row in range(len(rows)):
        values.append([])
        for column in range(len(rows[row])):
            values[row].append({"north": 0, "south": 0, "west": 0, "east": 0})

    def best(row, column):
        found, value = names[0], -math.inf
        for name in names:
            if values[row - 1][column - 1][name] > value:
                found, value = name, values[row - 1][column - 1][name]
        return found, value

    def step(row, column, name):
        move = moves[name]
        newRow, newColumn = row + move[0], column + move[1]
        if at(newRow, newColumn) == "#":
            return row, column, -2, False
        done = at(newRow, newColumn) == "G"
        return newRow, newColumn, 20 if done else -1, done

    def episode(curiosity):
        row, column, steps = startRow, startColumn, 0
        while True:
            name = best(row, column)[0]
            if random.random() < curiosity:
                name = names[random.randint(1, 4) - 1]
            newRow, newColumn, reward, done = step(row, column, name)
            target = reward
            if not done:
                _, later = best(newRow, newColumn)
                target += 0.9 * later
            here = values[row - 1][column - 1]
            here[name] += 0.5 * (target - here[name])
            row, column, steps = newRow, newColumn, steps + 1
            if done or steps >= 200:
                break
        return steps

    shortest = math.inf
    for i in range(1, episodes + 1):
        steps = episode(0.3 if i < episodes / 2 else 0)
        shortest = min(shortest, steps)
        if i == 1 or i % 10 == 0:
            print(f"episode {i}: {steps} steps, value {values[1][1]['south']}")
    print(f"shortest: {shortest:.14g}")

    # Walk the way that was learnt, and draw it.
    drawn, row, column = [], startRow, startColumn
    for r, line in enumerate(rows):
        drawn.append([])
        for letter in line:
            drawn[r].append(letter)
    count = 0
    while at(row, column) != "G" and count < 50:
        row, column, _, _ = step(row, column, best(row, column)[0])
        if at(row, column) == ".":
            drawn[row - 1][column - 1] = "*"
        count += 1
    for letters in drawn:
        print("".join(letters))


if __name__ == "__main__":
    main()
