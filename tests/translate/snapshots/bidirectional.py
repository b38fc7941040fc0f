"""What nn.BiSequencer is for: the tag of a step depends on the steps before and after it. Two LSTMs, one that
reads forwards and one backwards, learn it; one alone must guess what is still to come.

   bidirectional.lua [iterations]

Translated from bidirectional.lua by torch7py."""

import math
import sys

import torch
import torch.nn.functional as F
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 150
batchSize = 20
length = 6


# Random bits; the tag of a step is 1 and as many as its two neighbours have ones. Beyond the ends are zeros.
def makeBatch():
    bits = torch.empty(length + 2, batchSize).bernoulli_(0.5)
    bits[0] = 0
    bits[length + 1] = 0
    inputs, targets = [], []
    for t in range(length):
        inputs.append(bits[t + 1].view(batchSize, 1))
        targets.append(bits[t] + bits[t + 2] + 1)
    return inputs, targets


# A network around a layer that takes a table of steps and gives one, `width` numbers wide.
def network(layer, width):
    return nn.Sequential(layer, nn.Linear(width, 3), nn.LogSoftmax(dim=-1))


class FastLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 8)  # nn.FastLSTM, bidirectional.lua:34
        self.lstm.bias_hh_l0.requires_grad_(False).zero_()  # nn.FastLSTM has one bias
        for p in (self.lstm.weight_ih_l0, self.lstm.bias_ih_l0):
            nn.init.uniform_(p, -1, 1)

    def forward(self, x):
        x, _ = self.lstm(x)
        return x


class BiSequencer(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTM(1, 8)  # nn.FastLSTM, bidirectional.lua:36
        self.lstm1.bias_hh_l0.requires_grad_(False).zero_()  # nn.FastLSTM has one bias
        for p in (self.lstm1.weight_ih_l0, self.lstm1.bias_ih_l0):
            nn.init.uniform_(p, -1, 1)
        self.lstm2 = nn.LSTM(1, 8)  # nn.FastLSTM, bidirectional.lua:36
        self.lstm2.bias_hh_l0.requires_grad_(False).zero_()  # nn.FastLSTM has one bias
        for p in (self.lstm2.weight_ih_l0, self.lstm2.bias_ih_l0):
            nn.init.uniform_(p, -1, 1)

    def forward(self, x):
        h, _ = self.lstm1(x)
        x, _ = self.lstm2(x.flip(0))
        return torch.cat((h, x.flip(0)), dim=-1)


def criterion(prediction, y):  # nn.SequencerCriterion(nn.ClassNLLCriterion())
    return sum(F.nll_loss(p, t.long() - 1) for p, t in zip(prediction, y))


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    oneWay = network(FastLSTM(), 8)
    # BiSequencer joins the outputs of the two by default, so there are twice as many numbers.
    bothWays = network(BiSequencer(), 16)

    def train(model, inputs, targets):
        outputs = model(torch.stack(inputs))
        loss = criterion(outputs, targets)
        model.zero_grad()
        loss.backward()
        torch.optim.SGD(model.parameters(), lr=0.3).step()
        return loss.item() / length

    # Whoever reads forwards does not know the bit that follows, one of two, except at the last step.
    print(f"one way at best: {(length - 1) / length * math.log(2):.14g}")
    for i in range(1, iterations + 1):
        inputs, targets = makeBatch()
        one = train(oneWay, inputs, targets)
        both = train(bothWays, inputs, targets)
        if i == 1 or i % 50 == 0:
            print(f"iteration {i}: one way {one:.14g}, both ways {both:.14g}")


if __name__ == "__main__":
    main()
