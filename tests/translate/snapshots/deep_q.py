"""Q-learning with a network: a walker on a line of ten places is paid at the right end, and charged for each step.
The gradient of the network's output is made by hand: zero but for the action that was taken. The update, RMSProp,
is written out on the flat vectors of the weights.

   deep_q.lua [episodes]

Translated from deep_q.lua by torch7py."""

import random
import sys

import torch
from torch import nn

episodes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
places, actions, gamma = 10, 2, 0.9


def flatten_parameters(parameters):
    """All weights as one vector, and their gradients as another: the parameters become views of them."""
    parameters = list(parameters)
    weights = nn.utils.parameters_to_vector(parameters).detach()
    gradients = torch.zeros_like(weights)
    start = 0
    for p in parameters:
        end = start + p.numel()
        p.data, p.grad = weights[start:end].view_as(p), gradients[start:end].view_as(p)
        start = end
    return weights, gradients


class QLearner:
    def __init__(self, rate):
        self.rate = rate
        self.network = nn.Sequential(nn.Linear(places, 16), nn.Tanh(), nn.Linear(16, actions))
        self.w, self.dw = flatten_parameters(self.network.parameters())
        self.g2 = self.dw.clone().fill_(0)

    def act(self, place, epsilon):
        if random.random() < epsilon:
            return 1 if random.random() < 0.5 else 2
        q = self.network(state(place))
        return 1 if q[0].item() > q[1].item() else 2

    def learn(self, place, action, reward, next_place, done):
        target = reward
        if not done:
            target += gamma * self.network(state(next_place)).max().item()
        s = state(place)
        q = self.network(s)
        delta = target - q[action - 1].item()
        if delta > 1:
            delta = 1
        elif delta < -1:
            delta = -1

        gradOutput = torch.zeros(actions)
        gradOutput[action - 1] = -delta
        self.dw.zero_()
        q.backward(gradOutput)

        self.g2.mul_(0.95).addcmul_(self.dw, self.dw, value=0.05)
        self.w.addcdiv_(self.dw, torch.sqrt(self.g2 + 0.01), value=-self.rate)
        return abs(delta)


# A place as a vector.
def state(place):
    s = torch.zeros(places)
    s[place - 1] = 1
    return s


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(3)
    random.seed(3)

    learner = QLearner(0.02)
    errors = 0
    for episode in range(1, episodes + 1):
        place, steps, done = 1, 0, False
        while not done and steps < 40:
            action = learner.act(place, 0.2)
            next_place = max(1, min(places, place + (1 if action == 2 else -1)))
            done = next_place == places
            errors += learner.learn(place, action, 1 if done else -0.02, next_place, done)
            place, steps = next_place, steps + 1
        if episode % 20 == 0:
            print(f"episode {episode}: {steps} steps, error {errors / 20:.4f} an episode")
            errors = 0

    place, path = 1, ["1"]
    while place < places and len(path) < 20:
        place = max(1, place + (1 if learner.act(place, 0) == 2 else -1))
        path.append(f"{place}")
    print(f"path: {' '.join(path)}")


if __name__ == "__main__":
    main()
