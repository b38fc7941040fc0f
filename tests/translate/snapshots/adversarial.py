"""Two networks against each other: a generator makes points of noise, a discriminator tells them from points of a
ring, and each learns from the other. Both with optim.adam, as in programs that make images so.

   adversarial.lua [iterations]

Translated from adversarial.lua by torch7py."""

import math
import sys

import torch
import torch.nn.functional as F
from torch import nn

iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 400
batch, nz = 32, 4
real_label, fake_label = 1, 0


class Adam(torch.optim.Optimizer):
    """Adam as optim.adam computes it: epsilon is added before the second moment's bias is corrected."""

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, lr_decay=0, weight_decay=0):
        names = {"lr": lr, "betas": betas, "eps": eps, "lr_decay": lr_decay, "weight_decay": weight_decay}
        super().__init__(params, names)

    @torch.no_grad()
    def step(self, closure=None):
        with torch.enable_grad():
            loss = closure() if closure is not None else None
        for group in self.param_groups:
            (beta1, beta2), eps = group["betas"], group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                grad = p.grad.add(p, alpha=group["weight_decay"]) if group["weight_decay"] else p.grad
                rate = group["lr"] / (1 + state["t"] * group["lr_decay"])
                state["t"] += 1
                state["m"].lerp_(grad, 1 - beta1)
                state["v"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                rate *= (1 - beta2 ** state["t"]) ** 0.5 / (1 - beta1 ** state["t"])
                # by its data: outputs from before the step may still go back
                p.data.addcdiv_(state["m"], state["v"].sqrt().add_(eps), value=-rate)
        return loss


class NetD(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(2, 16)  # adversarial.lua:19
        self.linear2 = nn.Linear(16, 1)  # adversarial.lua:20

    def forward(self, x):
        x = F.leaky_relu(self.linear1(x), 0.2)
        return torch.sigmoid(self.linear2(x))


def criterion(prediction, y):  # nn.BCECriterion: 1e-12 keeps the logarithms finite
    return -(y * torch.log(prediction + 1e-12) + (1 - y) * torch.log(1 - prediction + 1e-12)).mean()


# Points of a ring, not quite on it.
def sample():
    angle = torch.empty(batch).uniform_(0, 2 * math.pi)
    points = torch.randn(batch, 2) * 0.05
    for i in range(batch):
        points[i, 0] += math.cos(angle[i].item())
        points[i, 1] += math.sin(angle[i].item())
    return points


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(2)

    netG = nn.Sequential(nn.Linear(nz, 16), nn.Tanh(), nn.Linear(16, 2))

    netD = NetD()

    input_ = torch.empty(batch, 2)
    noise = torch.empty(batch, nz)
    label = torch.empty(batch, 1)
    errD = None
    errG = None

    optimizerD = Adam(netD.parameters(), lr=0.01, betas=(0.5, 0.999))
    optimizerG = Adam(netG.parameters(), lr=0.01, betas=(0.5, 0.999))
    for p in netD.parameters():
        p.data.normal_(0, 0.3)
    for p in netG.parameters():
        p.data.normal_(0, 0.3)

    # The discriminator's step: real points, then made ones.
    def fDx():
        nonlocal errD
        netD.zero_grad()

        input_.copy_(sample())
        label.fill_(real_label)
        output = netD(input_)
        errD_real = criterion(output, label)
        errD_real.backward()

        noise.normal_(0, 1)
        fake = netG.last_output = netG(noise)
        input_.copy_(fake.detach())
        label.fill_(fake_label)
        netD.last_input = input_.detach().requires_grad_()
        output = netD.last_output = netD(netD.last_input)
        errD_fake = criterion(output, label)
        errD_fake.backward(retain_graph=True)

        errD = errD_real.item() + errD_fake.item()
        return torch.tensor(errD)

    # The generator's: what the discriminator said of the made points is still there.
    def fGx():
        nonlocal errG
        netG.zero_grad()

        label.fill_(real_label)  # for the generator, made points are right when they pass for real ones
        output = netD.last_output
        errG = criterion(output, label)
        df_dg = torch.autograd.grad(errG, netD.last_input, retain_graph=True)[0]
        netG.last_output.backward(df_dg)
        return errG

    for i in range(1, iterations + 1):
        optimizerD.step(fDx)
        optimizerG.step(fGx)
        if i == 1 or i % 100 == 0:
            print(f"iteration {i}: discriminator {errD:.5f}, generator {errG.item():.5f}")

    # How far from the middle the made points are.
    noise.normal_(0, 1)
    made = netG.last_output = netG(noise)
    radius = (made * made).sum(1, keepdim=True).sqrt_()
    print(f"radius {radius.mean().item():.3f}, the ring has 1")


if __name__ == "__main__":
    main()
