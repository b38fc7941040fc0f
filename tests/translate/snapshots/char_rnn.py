"""A character-level recurrent network built by hand: no rnn package, only nn and copies of one cell that
share its weights. It learns a line of text and then says it from its first letter.

   char_rnn.lua [iterations]

Translated from char_rnn.lua by torch7py."""

import sys

import torch
from torch import nn

text = "the quick brown fox jumps over the lazy dog. "
iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 90
steps = 15  # of one training example
hidden = 32

# The text is read in a circle, three rows at once, each from another place.
rows = 3


class Cell(nn.Module):
    def __init__(self, letters):
        super().__init__()
        # nn.LookupTable: items count from 1, char_rnn.lua:29
        self.lookup = nn.Embedding(len(letters), hidden)
        self.linear = nn.Linear(hidden, hidden)  # char_rnn.lua:30

    def forward(self, inputs):
        x, h = inputs
        return torch.tanh(self.lookup(x - 1) + self.linear(h))


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    # Each letter gets a number, in the order of its first use.
    letters, number = [], {}
    for i in range(1, len(text) + 1):
        letter = text[i - 1]
        if letter not in number:
            letters.append(letter)
            number[letter] = len(letters)
    print(f"{len(text)} characters, {len(letters)} different ones")

    # the cell: {number of a letter, h[t-1]} -> h[t] = tanh(row of the table + U h[t-1] + b)
    cell = Cell(letters)
    # the decoder: h[t] -> the logarithms of the probabilities of the next letter
    decoder = nn.Sequential(nn.Linear(hidden, len(letters)), nn.LogSoftmax(dim=-1))

    # The flat vectors of both come first: they move the weights, and copies made before would lose them.
    for p in [*cell.parameters(), *decoder.parameters()]:
        p.data.uniform_(-0.3, 0.3)

    # A copy for each step: its own outputs, but the weights and gradients of the original.
    cells, decoders, criterions = [], [], []
    for t in range(steps):
        cells.append(cell)
        decoders.append(decoder)
        criterions.append(nn.NLLLoss())

    def batch(position):
        numbers = torch.empty(rows, dtype=torch.int64)
        for row in range(1, rows + 1):
            place = (position + row * len(text) / rows) % len(text) + 1
            numbers[row - 1] = number[text[int(place) - 1]]
        return numbers

    position = 0
    state = torch.zeros(rows, hidden)  # h, carried over from one stretch of the text to the next

    def feval():
        nonlocal position, state
        for p in [*cell.parameters(), *decoder.parameters()]:
            p.grad = None
        # forward through time
        x, h, predictions, loss = [], {0: state}, [], 0
        for t in range(1, steps + 1):
            x.append(batch(position + t - 1))
            h[t] = cells[t - 1]((x[t - 1], h[t - 1]))
            predictions.append(decoders[t - 1](h[t]))
            loss += criterions[t - 1](predictions[t - 1], batch(position + t) - 1)
        # backward through time: h[t] goes to the decoder of its step and to the cell of the next
        loss.backward()
        nn.utils.clip_grad_value_([*cell.parameters(), *decoder.parameters()], 5)

        position += steps
        state = h[steps].detach().clone()  # a copy, as the cell's next forward writes over its output
        return loss / steps

    optimizer = torch.optim.RMSprop([*cell.parameters(), *decoder.parameters()], lr=0.01, alpha=0.95)
    for i in range(1, iterations + 1):
        losses = optimizer.step(feval)
        if i == 1 or i % 30 == 0:
            print(f"iteration {i}: loss {losses.item():.14g}")

    # Say the text: feed the likeliest next letter back in.
    said, h = text[0], torch.zeros(1, hidden)
    for _ in range(2, len(text) + 1):
        last = torch.tensor([number[said[-1:]]])
        h = cell((last, h)).clone()
        likeliest = decoder(h).argmax(1, keepdim=True) + 1
        said += letters[likeliest[0, 0].item() - 1]
    print(f"it says: {said}")


if __name__ == "__main__":
    main()
