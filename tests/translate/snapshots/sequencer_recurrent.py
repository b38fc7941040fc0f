"""A recurrent network in nn.Sequencer: one call of the model for a whole stretch of the sequence, and no word
about time in the training. It learns to say the next item of a fixed random sequence.

   sequencer_recurrent.lua [iterations [items]]

Compare recurrent.lua, which does by hand what a Sequencer does.
Translated from sequencer_recurrent.lua by torch7py."""

import math
import random
import sys

import torch
import torch.nn.functional as F
from torch import nn

batchSize = 10
rho = 5  # the steps of one call
hiddenSize = 64
# the items of the sequence; 10000 makes it a long training
nIndex = int(sys.argv[2]) if len(sys.argv) > 2 else 100
lr = 0.1
iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 400


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        # nn.LookupTable: items count from 1, sequencer_recurrent.lua:21
        self.lookup = nn.Embedding(nIndex, hiddenSize)
        # nn.Add, sequencer_recurrent.lua:21
        self.shift = nn.Parameter(torch.empty(hiddenSize).uniform_(-(hiddenSize**-0.5), hiddenSize**-0.5))
        self.linear1 = nn.Linear(hiddenSize, hiddenSize)  # sequencer_recurrent.lua:22
        self.linear2 = nn.Linear(hiddenSize, nIndex)  # sequencer_recurrent.lua:25

    def forward(self, x):
        x = self.lookup(x - 1)
        h = torch.sigmoid(x[0] + self.shift)
        outputs = [h]
        for step in x[1:]:
            h = torch.sigmoid(step + self.linear1(h))
            outputs.append(h)
        return F.log_softmax(self.linear2(torch.stack(outputs)), dim=-1)


def criterion(prediction, y):  # the sum over the steps
    return sum(F.nll_loss(p, t.long() - 1) for p, t in zip(prediction, y))


def gradientUpgrade(model, x, y, criterion, learningRate, i):
    prediction = model(torch.stack(x))
    err = criterion(prediction, y)
    if i == 1 or i % 100 == 0:
        print(f"error for iteration {i} is {err.item() / rho:.14g}")
    err.backward()
    torch.optim.SGD(model.parameters(), lr=learningRate).step()
    model.zero_grad()


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    random.seed(1)

    # Model: each layer is decorated, and takes and gives a table of tensors, one for each step
    model = Model()

    # dummy dataset (task: predict the next item), a random permutation of the numbers from 1 to nIndex
    dataset = torch.randperm(nIndex) + 1

    # where in the dataset each row of the batch stands
    offsets = [math.ceil(random.random() * batchSize) for _ in range(batchSize)]
    offsets = torch.tensor(offsets)

    for i in range(1, iterations + 1):
        # tables of rho tensors, each of batchSize items
        inputs, targets = [], []
        for _ in range(rho):
            # get a batch of inputs
            inputs.append(dataset[offsets - 1])
            # shift of one batch indexes
            offsets += 1
            offsets[offsets > nIndex] = 1
            # a batch of targets
            targets.append(dataset[offsets - 1])
        gradientUpgrade(model, inputs, targets, criterion, lr, i)


if __name__ == "__main__":
    main()
