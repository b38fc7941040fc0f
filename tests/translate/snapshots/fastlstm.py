"""A long short-term memory (LSTM) in nn.Sequencer. It learns to say the next item of a fixed random sequence.

   fastlstm.lua [iterations [items]]

Prints the mean loss of a step, which starts near log(items) = 4.6 (every item equally likely) and falls
towards 0 (the next item is known). Compare sequencer_recurrent.lua, the same with a plain recurrent
network. Translated from fastlstm.lua by torch7py."""

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


def gradientUpgrade(model, x, y, criterion, learningRate, i):
    prediction = model(torch.stack(x))
    err = criterion(prediction, y)
    if i == 1 or i % 100 == 0:
        print(f"error for iteration {i} is {err.item() / rho:.14g}")
    err.backward()
    torch.optim.SGD(model.parameters(), lr=learningRate).step()
    model.zero_grad()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lookup = nn.Embedding(nIndex, hiddenSize)  # nn.LookupTable: items count from 1, fastlstm.lua:33
        self.lstm = nn.LSTM(hiddenSize, hiddenSize)  # nn.FastLSTM, computes its gates together
        self.lstm.bias_hh_l0.requires_grad_(False).zero_()  # nn.FastLSTM has one bias
        self.linear = nn.Linear(hiddenSize, nIndex)  # fastlstm.lua:35

    def forward(self, x):
        x = self.lookup(x - 1)
        x, _ = self.lstm(x)
        return F.log_softmax(self.linear(x), dim=-1)


def criterion(prediction, y):  # nn.SequencerCriterion(nn.ClassNLLCriterion())
    return sum(F.nll_loss(p, t.long() - 1) for p, t in zip(prediction, y))


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    random.seed(1)

    # Model
    model = Model()

    # dummy dataset (task predict the next item)
    dataset = torch.randperm(nIndex) + 1
    # this dataset represents a random permutation of a sequence between 1 and nIndex

    # define the index of the batch elements
    offsets = [math.ceil(random.random() * batchSize) for _ in range(batchSize)]
    offsets = torch.tensor(offsets)

    for i in range(1, iterations + 1):
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
