"""Groups points by k-means: tensors by index, masks and sums, until nothing changes any more.

k_means.lua [points] Translated from k_means.lua by torch7py."""

import sys

import torch

n = int(sys.argv[1]) if len(sys.argv) > 1 else 60
k = 3


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(3)

    # Points around three places.
    places = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    points = torch.randn(n, 2)
    for i in range(1, n + 1):
        points[i - 1].add_(places[(i - 1) % k])

    centres = points[:k].clone()
    nearest = torch.empty(n, dtype=torch.int64).fill_(0)
    distances = torch.empty(n, k)

    # Gives each point its nearest centre; how many have a new one.
    def assign():
        for c in range(k):
            differences = points - centres[c].view(1, 2).expand_as(points)
            distances[:, c] = (differences * differences).sum(1, keepdim=True).flatten()
        places = distances.argmin(1, keepdim=True) + 1
        changed = (places.view(-1) != nearest).sum().item()
        nearest.copy_(places.view(-1))
        return changed

    def move():
        for c in range(1, k + 1):
            sum_, count = torch.zeros(2), 0
            for i in range(n):
                if nearest[i].item() == c:
                    sum_ += points[i]
                    count += 1
            if count > 0:
                centres[c - 1] = sum_ / count

    rounds = 0
    while True:
        changed = assign()
        if changed == 0:
            break
        move()
        rounds += 1
        print(
            f"round {rounds}: {changed} points change, within {distances.amin(1, keepdim=True).sum().item():.14g}"
        )

    for c in range(1, k + 1):
        members = (nearest == c).sum().item()
        print(
            f"centre {c}: ({centres[c - 1, 0].item():.4f}, {centres[c - 1, 1].item():.4f}), {members} points"
        )


if __name__ == "__main__":
    main()
