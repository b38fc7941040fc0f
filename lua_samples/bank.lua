-- Classes in plain Lua: accounts by torch.class with inheritance, money as a metatable with operators, and a
-- bank that keeps a journal of what happens.
--
--    bank.lua [years]
require 'torch'

years = tonumber(arg[1]) or 3

-- An amount of money in cents. Two amounts add, compare and print as values do.
local Money = {}
Money.__index = Money

function Money.new(cents)
   return setmetatable({cents = cents}, Money)
end

function Money.__add(a, b) return Money.new(a.cents + b.cents) end
function Money.__sub(a, b) return Money.new(a.cents - b.cents) end
function Money.__eq(a, b) return a.cents == b.cents end
function Money.__lt(a, b) return a.cents < b.cents end
function Money:__tostring() return string.format('%d.%02d', math.floor(self.cents / 100), self.cents % 100) end

function Money:share(percent)
   return Money.new(math.floor(self.cents * percent / 100 + 0.5))
end

do
   local Account = torch.class('Account')

   function Account:__init(owner, cents)
      self.owner = owner
      self.balance = Money.new(cents or 0)
      self.changes = 0
   end

   function Account:deposit(amount)
      self.balance = self.balance + amount
      self.changes = self.changes + 1
   end

   -- Whether there was enough.
   function Account:withdraw(amount)
      if self.balance < amount then return false end
      self.balance = self.balance - amount
      self.changes = self.changes + 1
      return true
   end

   function Account:endOfYear() end

   function Account:describe()
      return self.owner .. ' has ' .. tostring(self.balance)
   end
end

do
   local Savings, parent = torch.class('Savings', 'Account')
   Savings.kind = 'savings'

   function Savings:__init(owner, cents, percent)
      parent.__init(self, owner, cents)
      self.percent = percent
   end

   function Savings:endOfYear()
      self:deposit(self.balance:share(self.percent))
   end

   function Savings:describe()
      return string.format('%s at %d%% (%s)', parent.describe(self), self.percent, self.kind)
   end
end

-- A bank is a table of accounts by owner; its journal is a closure.
local function newJournal()
   local lines = {}
   local function write(...) table.insert(lines, table.concat({...}, ' ')) end
   return {write = write, lines = lines}
end

local journal = newJournal()
local accounts = {}
local function open(account)
   accounts[account.owner] = account
   journal.write('open', account.owner, tostring(account.balance))
   return account
end

open(Account('ann', 10050))
open(Savings('bob', 200000, 3))
open(Savings('cy', 999, 5))

local function transfer(from, to, cents)
   local amount = Money.new(cents)
   if accounts[from]:withdraw(amount) then
      accounts[to]:deposit(amount)
      journal.write('transfer', from, to, tostring(amount))
   else
      journal.write('refused', from, to, tostring(amount))
   end
end

transfer('bob', 'ann', 50025)
transfer('cy', 'ann', 1000)
for year = 1, years do
   for owner, account in pairs(accounts) do
      account:endOfYear()
      journal.write('year ' .. year, owner, tostring(account.balance))
   end
end

for number, line in ipairs(journal.lines) do print(string.format('%2d  %s', number, line)) end
local names, richest, total = {}, nil, Money.new(0)
for owner, account in pairs(accounts) do
   names[#names + 1] = owner
   total = total + account.balance
   if not richest or richest.balance < account.balance then richest = account end
end
table.sort(names, function(a, b) return accounts[b].balance < accounts[a].balance end)
print('from the richest: ' .. table.concat(names, ', '))
print(richest:describe())
print(accounts.ann:describe() .. ' after ' .. accounts.ann.changes .. ' changes')
print('all together: ' .. tostring(total) .. ', the same again: ' .. tostring(total == Money.new(total.cents)))
