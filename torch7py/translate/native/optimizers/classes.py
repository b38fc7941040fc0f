"""The optimizers of optim that torch.optim does not have, as classes and functions for the page."""

from __future__ import annotations

from torch7py.translate.native.analysis.optimizers import METHODS

__all__ = ["CLASSES"]

ADAM = '''class Adam(torch.optim.Optimizer):
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
                p.addcdiv_(state["m"], state["v"].sqrt().add_(eps), value=-rate)
        return loss'''
# Where a program asks for gradients of what a module gave before the step: autograd does not see a change of ``data``,
# and computes them at the new weights, as Torch7 does.
ADAM_ON_DATA = ADAM.replace(
    "                p.addcdiv_(",
    "                # by its data: outputs from before the step may still go back\n                p.data.addcdiv_(",
)

SGD = '''class SGD(torch.optim.SGD):
    """SGD whose rate falls with the steps, as optim.sgd has it: lr / (1 + steps * lr_decay)."""

    def __init__(self, params, lr=0.001, lr_decay=0, **settings):
        super().__init__(params, lr=lr, **settings)
        for group in self.param_groups:
            group.update(lr_decay=lr_decay, steps=0)

    def step(self, closure=None):
        rates = [group["lr"] / (1 + group["steps"] * group["lr_decay"]) for group in self.param_groups]
        with torch.enable_grad():
            loss = closure() if closure is not None else None
        kept = [group["lr"] for group in self.param_groups]
        for group, rate in zip(self.param_groups, rates):
            group["lr"] = rate
        super().step()
        for group, lr in zip(self.param_groups, kept):
            group["lr"] = lr
            group["steps"] += 1
        return loss'''

SGD_BY_ELEMENT = '''class SGD(torch.optim.Optimizer):
    """SGD as optim.sgd computes it: with a rate and a weight decay for each element, where they are given.

    The rate falls with the steps: lr / (1 + steps * lr_decay). Dampening is the momentum if it is not given.
    """

    def __init__(self, params, **settings):
        names = {"lr": 0.001, "lr_decay": 0, "weight_decay": 0, "momentum": 0, "dampening": None}
        names |= {"nesterov": False, "lrs": None, "weight_decays": None, "steps": 0}
        super().__init__(params, names | settings)

    @torch.no_grad()
    def step(self, closure=None):
        rates = [group["lr"] / (1 + group["steps"] * group["lr_decay"]) for group in self.param_groups]
        with torch.enable_grad():
            loss = closure() if closure is not None else None
        for group, rate in zip(self.param_groups, rates):
            momentum, dampening = group["momentum"], group["dampening"]
            group["steps"] += 1
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad, state = p.grad, self.state[p]
                if group["weight_decay"]:
                    grad = grad + group["weight_decay"] * p
                elif group["weight_decays"] is not None:
                    grad = grad + group["weight_decays"] * p
                if momentum:
                    if "movement" in state:
                        damping = momentum if dampening is None else dampening
                        state["movement"].mul_(momentum).add_(grad, alpha=1 - damping)
                    else:
                        state["movement"] = grad.clone()
                    grad = grad + momentum * state["movement"] if group["nesterov"] else state["movement"]
                p.add_(grad if group["lrs"] is None else group["lrs"] * grad, alpha=-rate)
        return loss'''

NAG = '''class NAG(torch.optim.Optimizer):
    """Nesterov's accelerated gradient as optim.nag computes it: the gradient is taken where the momentum leads."""

    def __init__(self, params, lr=0.001, momentum=0.9, lr_decay=0, weight_decay=0):
        names = {"lr": lr, "momentum": momentum, "lr_decay": lr_decay, "weight_decay": weight_decay}
        super().__init__(params, names)

    @torch.no_grad()
    def step(self, closure):
        for group in self.param_groups:
            for p in group["params"]:
                if "movement" in self.state[p]:
                    p.add_(self.state[p]["movement"], alpha=group["momentum"])
        with torch.enable_grad():
            loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(t=0, movement=torch.zeros_like(p))
                grad = p.grad.add(p, alpha=group["weight_decay"]) if group["weight_decay"] else p.grad
                rate = group["lr"] / (1 + state["t"] * group["lr_decay"])
                state["t"] += 1
                state["movement"].mul_(group["momentum"]).add_(grad, alpha=-rate)
                p.add_(grad, alpha=-rate)
        return loss'''

# Those that evaluate their function several times a step are the library's functions, on one vector of all parameters.
# It holds each gradient in the same memory, as modules do: a line search takes it for the gradient at its start.
_MINIMIZER = '''class {name}(torch.optim.Optimizer):
    """{about}

    After a step, ``losses`` has {losses}.
    """

    def __init__(self, params, **settings):
        super().__init__(params, settings)
        self.params = self.param_groups[0]["params"]
        self.kept, self.losses = {{}}, []
        self.gradient = torch.cat([torch.zeros_like(p).flatten() for p in self.params])

    def move(self, x):
        for p, part in zip(self.params, x.split([p.numel() for p in self.params])):
            p.copy_(part.view_as(p))

    @torch.no_grad()
    def step(self, closure):
        losses = []

        def evaluate(x):
            self.move(x)
            with torch.enable_grad():
                losses.append(closure())
            grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.params]
            return float(losses[-1]), torch.cat([grad.flatten() for grad in grads], out=self.gradient)

        names = {settings}
        settings = {{names[name]: value for name, value in self.param_groups[0].items() if name in names}}
        x = torch.cat([p.flatten() for p in self.params])
        _, self.losses, *_ = lua_compat.{function}(evaluate, x, settings, self.kept)
        self.move(x)
        return losses[0]'''


def _minimizer(method: str, about: str, losses: str) -> str:
    settings = {name: setting for setting, name in METHODS[method].settings.items()}
    return _MINIMIZER.format(
        name=METHODS[method].pytorch, function=method, about=about, losses=losses, settings=settings
    )


CLASSES = {
    "adam": ADAM,
    "adam on data": ADAM_ON_DATA,
    "sgd": SGD,
    "sgd by element": SGD_BY_ELEMENT,
    "nag": NAG,
    "lbfgs": _minimizer("lbfgs", "L-BFGS as optim.lbfgs computes it.", "the loss of each evaluation"),
    "cg": _minimizer(
        "cg",
        "Conjugate gradients with a line search as optim.cg computes them.",
        "the loss at the start and after each line search",
    ),
}
