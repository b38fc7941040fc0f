"""A Markov chain of letters: learns from a few names which letter follows which two, and makes names up.
Tables of tables, closures as iterators, and functions with several results.

   markov.lua [names]

Translated from markov.lua by torch7py."""

import random
import sys

import torch

wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 8


# Calls a function for each two letters and the one that follows them; '^' stands before a name, '$' behind it.
def eachTriple(name, visit):
    padded = f"^^{name}$"
    for i in range(1, len(padded) - 1):
        visit(padded[i - 1 : i + 1], padded[i + 1])


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(7)
    random.seed(7)

    names = [
        "anna",
        "hannah",
        "johanna",
        "susanna",
        "rosanna",
        "marianne",
        "mariam",
        "miriam",
        "marion",
        "roman",
        "ramona",
        "simona",
        "simon",
        "mona",
        "nina",
        "marina",
        "martina",
        "martin",
        "tina",
        "tamina",
    ]

    following, totals = {}, {}
    for name in names:

        def function(pair, letter):
            following[pair] = following.get(pair, {})
            following.get(pair)[letter] = following.get(pair).get(letter, 0) + 1
            totals[pair] = totals.get(pair, 0) + 1

        eachTriple(name, function)

    pairsSeen, most, mostPair = 0, 0, ""
    for pair, total in sorted(totals.items()):
        pairsSeen += 1
        if total > most:
            most, mostPair = total, pair
    print(f"{pairsSeen} pairs; the most frequent is {mostPair}, {most:.14g} times")

    # A letter at random, as often as it followed.
    def draw(pair):
        left = random.randint(1, totals.get(pair))
        for letter, count in sorted(following.get(pair).items()):
            left -= count
            if left <= 0:
                return letter

    def makeName(longest):
        name, pair = "", "^^"
        while len(name) < longest:
            letter = draw(pair)
            if letter == "$":
                break
            name += letter
            pair = pair[1:] + letter
        return name, pair

    known = {}
    for name in names:
        known[name] = True
    new = 0
    for _ in range(wanted):
        name, ending = makeName(12)
        shown = name[:1].upper() + name[1:]
        if not known.get(name):
            new += 1
        print(f"{shown:<12} ends in {ending}{' (known)' if known.get(name) else ''}")
    print(f"{new} of {wanted} are new")


if __name__ == "__main__":
    main()
