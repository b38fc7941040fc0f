"""Classes in plain Lua: accounts by torch.class with inheritance, money as a metatable with operators, and a
bank that keeps a journal of what happens.

   bank.lua [years]

Translated from bank.lua by torch7py."""

import math
import sys

years = int(sys.argv[1]) if len(sys.argv) > 1 else 3


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


# An amount of money in cents. Two amounts add, compare and print as values do.
class Money:
    def __init__(self, cents):
        self.cents = cents

    def __add__(self, b):
        return Money(self.cents + b.cents)

    def __sub__(self, b):
        return Money(self.cents - b.cents)

    def __eq__(self, b):
        return self.cents == b.cents

    __hash__ = object.__hash__

    def __lt__(self, b):
        return self.cents < b.cents

    def __str__(self):
        return f"{self.cents // 100}.{self.cents % 100:02d}"

    def share(self, percent):
        return Money(math.floor(self.cents * percent / 100 + 0.5))


class Account:
    def __init__(self, owner, cents):
        self.owner = owner
        self.balance = Money(cents if cents is not None else 0)
        self.changes = 0

    def deposit(self, amount):
        self.balance = self.balance + amount
        self.changes += 1

    # Whether there was enough.
    def withdraw(self, amount):
        if self.balance < amount:
            return False
        self.balance = self.balance - amount
        self.changes += 1
        return True

    def endOfYear(self):
        pass

    def describe(self):
        return f"{self.owner} has {self.balance!s}"


class Savings(Account):
    kind = "savings"

    def __init__(self, owner, cents, percent):
        super().__init__(owner, cents)
        self.percent = percent

    def endOfYear(self):
        self.deposit(self.balance.share(self.percent))

    def describe(self):
        return f"{super().describe()} at {self.percent}% ({self.kind})"


# A bank is a table of accounts by owner; its journal is a closure.
def newJournal():
    lines = []

    def write(*args):
        lines.append(" ".join([*args]))

    return {"write": write, "lines": lines}


def main():
    journal = newJournal()
    accounts = {}

    def open_(account):
        accounts[account.owner] = account
        journal["write"]("open", account.owner, str(account.balance))
        return account

    open_(Account("ann", 10050))
    open_(Savings("bob", 200000, 3))
    open_(Savings("cy", 999, 5))

    def transfer(from_, to, cents):
        amount = Money(cents)
        if accounts[from_].withdraw(amount):
            accounts[to].deposit(amount)
            journal["write"]("transfer", from_, to, str(amount))
        else:
            journal["write"]("refused", from_, to, str(amount))

    transfer("bob", "ann", 50025)
    transfer("cy", "ann", 1000)
    for year in range(1, years + 1):
        for owner, account in sorted(accounts.items()):
            account.endOfYear()
            journal["write"](f"year {year}", owner, str(account.balance))

    for number, line in enumerate(journal["lines"], 1):
        print(f"{number:2d}  {line}")
    names, richest, total = [], None, Money(0)
    for owner, account in sorted(accounts.items()):
        names.append(owner)
        total = total + account.balance
        if richest is None or richest.balance < account.balance:
            richest = account
    lua_sort(names, lambda a, b: accounts[b].balance < accounts[a].balance)
    print(f"from the richest: {', '.join(names)}")
    print(richest.describe())
    print(f"{accounts['ann'].describe()} after {accounts['ann'].changes} changes")
    print(f"all together: {total!s}, the same again: {str(total == Money(total.cents)).lower()}")


if __name__ == "__main__":
    main()
