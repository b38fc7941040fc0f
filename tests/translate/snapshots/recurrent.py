"""A recurrent network by hand: one call of the model for each time step, and backpropagation through time
(BPTT) every few steps. It learns to say the next item of a fixed random sequence.

   recurrent.lua [iterations [items]]

This is the interface that rnn had in 2015, when the backward of a bare nn.Recurrent only took notes.
sequencer_recurrent.lua has the same network without that bookkeeping.
Translated from recurrent.lua by torch7py."""

import math
import random
import sys

import torch
import torch.nn.functional as F
from torch import nn

batchSize = 10
rho = 5  # the most steps that BPTT goes back
hiddenSize = 64
# the items of the sequence; 10000 makes it a long training
nIndex = int(sys.argv[2]) if len(sys.argv) > 2 else 100
updateInterval = rho  # the steps from one update of the weights to the next
lr = 0.1
iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 1000  # one iteration is one time step
pending = []  # losses of the steps since the last backward pass


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        # nn.LookupTable: items count from 1, input: what is done to x[t], here a row of a table for each item
        self.lookup = nn.Embedding(nIndex, hiddenSize)
        # nn.Add, start: the size of the output
        self.shift = nn.Parameter(torch.empty(hiddenSize).uniform_(-(hiddenSize**-0.5), hiddenSize**-0.5))
        self.linear1 = nn.Linear(hiddenSize, hiddenSize)  # feedback: what is done to h[t-1]
        self.linear2 = nn.Linear(hiddenSize, nIndex)  # recurrent.lua:29
        self.state = None

    def forward(self, x):
        x = self.lookup(x - 1)
        if self.state is None:
            h = torch.sigmoid(x + self.shift)
        else:
            h = torch.sigmoid(x + self.linear1(self.state))
        self.state = h
        return F.log_softmax(self.linear2(h), dim=-1)

    def detach(self):
        """Cut what was kept of the last step off from its graph."""
        self.state = self.state.detach()


def gradientUpgrade(model, x, y, criterion, learningRate, i):
    prediction = model(x)
    err = criterion(prediction, y.long() - 1)
    # the Recurrent layer is memorizing its gradOutputs
    pending.append(err)

    if i == 1 or i % 100 == 0:
        print(f"error for iteration {i} is {err.item():.14g}")
    if i % updateInterval == 0:
        # backpropagates through time (BPTT):
        # 1. backward through feedback and input layers,
        # 2. updates parameters
        sum(pending).backward()
        pending.clear()
        model.detach()
        torch.optim.SGD(model.parameters(), lr=learningRate).step()
        model.zero_grad()


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    random.seed(1)

    # Model
    model = Model()  # transfer: what is done to the sum of the two
    criterion = nn.NLLLoss()

    # dummy dataset (task: predict the next item), a random permutation of the numbers from 1 to nIndex
    dataset = torch.randperm(nIndex) + 1

    # where in the dataset each row of the batch stands
    offsets = [math.ceil(random.random() * batchSize) for _ in range(batchSize)]
    offsets = torch.tensor(offsets)

    for i in range(1, iterations + 1):
        # a batch of inputs
        inputs = dataset[offsets - 1]
        # shift of one batch indexes
        offsets += 1
        offsets[offsets > nIndex] = 1
        # a batch of targets
        targets = dataset[offsets - 1]

        gradientUpgrade(model, inputs, targets, criterion, lr, i)


if __name__ == "__main__":
    main()
