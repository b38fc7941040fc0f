"""A program that insists on a GPU: it requires cunn and cudnn without a guard, as half of the programs of the time
did. It learns which of two rings a point lies in, with layers of cudnn, and hands a copy of the model to the CPU.

   torch7py run --device cuda gpu_only.lua      on the GPU
   torch7py run --cuda-as cpu gpu_only.lua      on the CPU

Translated from gpu_only.lua by torch7py."""

import copy
import math
import random

import torch
from torch import nn


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


def tensor_type(x):
    """What Torch7 calls the type of x: a CudaTensor holds single precision."""
    return x.type().replace("cuda.Float", "Cuda").replace("cuda.", "Cuda")


def main():
    torch.backends.cudnn.benchmark = True
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(1)
    random.seed(1)
    torch.cuda.manual_seed_all(1)
    print(f"device {torch.cuda.current_device() + 1} of {torch.cuda.device_count()}")

    # points of two rings around the origin, the outer ones of class 2
    points, classes = torch.empty(200, 2), torch.empty(200)
    for i in range(1, 201):
        outer = i % 2 == 0
        angle = random.uniform(0, 2 * math.pi)
        radius = (2 if outer else 1) + random.uniform(-0.3, 0.3)
        points[i - 1, 0], points[i - 1, 1] = radius * math.cos(angle), radius * math.sin(angle)
        classes[i - 1] = 2 if outer else 1

    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2), nn.LogSoftmax(dim=-1))

    model = nn.DataParallel(net, [0]).float().cuda()
    print(net)

    criterion = nn.NLLLoss().float().cuda()
    x = torch.empty(200, 2, dtype=torch.float32).cuda()
    y = torch.empty(200, dtype=torch.float32).cuda()
    x.copy_(points)
    y.copy_(classes)

    weights, gradients = flatten_parameters(model.parameters())
    print(f"{tensor_type(weights)} of {weights.numel()}, on device {weights.get_device() + 1}")
    optimizer = torch.optim.SGD([weights], lr=0.5, momentum=0.9, dampening=0.9)
    for epoch in range(1, 61):

        def function():
            gradients.zero_()
            output = model(x)
            loss = criterion(output, y.long() - 1)
            loss.backward()
            weights.grad = gradients
            return loss

        loss = optimizer.step(function)
        if epoch % 20 == 0:
            print(f"epoch {epoch}: loss {loss.item():.2f}")

    model.eval()
    output = model(x)
    best = output.argmax(1, keepdim=True) + 1
    print(f"{(best.float().cuda() == y.reshape_as(best)).sum().item()} of 200 points in the right ring")

    # the same model for machines without a GPU
    plain = copy.deepcopy(net).float().cpu()
    print(plain)
    difference = (plain(points) - output.float().cpu()).abs_().max().item()
    print(f"the same on the CPU: {str(difference < 1e-5).lower()}")


if __name__ == "__main__":
    main()
