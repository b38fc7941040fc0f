"""The optimizers of optim that torch.optim does not have, as classes and functions for the page."""

from __future__ import annotations

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

LBFGS = '''class LBFGS(torch.optim.Optimizer):
    """L-BFGS as optim.lbfgs computes it: its tolerances are for sums of absolute values, PyTorch's for the largest.

    After a step, ``losses`` has the loss of each evaluation.
    """

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-5,
        tolerance_change=1e-9,
        history_size=100,
        line_search=None,
        verbose=False,
    ):
        names = {"lr": lr, "max_iter": max_iter, "max_eval": max_eval, "tolerance_grad": tolerance_grad}
        names |= {"tolerance_change": tolerance_change, "history_size": history_size}
        super().__init__(params, names)
        self.params = self.param_groups[0]["params"]
        self.line_search, self.verbose = line_search, verbose
        self.count, self.history, self.scale = 0, [], 1  # of the last steps, and what the gradient changed by
        self.losses = []
        self.gradient = torch.cat([p.new_zeros(p.numel()) for p in self.params])

    def report(self, text):
        if self.verbose:
            print("<optim.lbfgs> ", text, "", sep="\\t")

    def evaluate(self, closure, x=None):
        """The loss and its gradient, at x or where the parameters are. One vector holds the gradient each time:
        the first search of a step takes what it holds then for the gradient at the start, as in Torch7."""
        if x is not None:
            for p, part in zip(self.params, x.split([p.numel() for p in self.params])):
                p.copy_(part.view_as(p))
        with torch.enable_grad():
            loss = closure()
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.params]
        return loss, torch.cat([grad.flatten() for grad in grads], out=self.gradient)

    def direction(self, g):
        """The inverse Hessian, as the history tells it, times -g."""
        factors = [1 / y.dot(s) for s, y in self.history]
        d, weights = -g, []
        for (s, y), factor in zip(reversed(self.history), reversed(factors)):
            weights.append(s.dot(d) * factor)
            d = d - weights[-1] * y
        d = d * self.scale
        for (s, y), factor in zip(self.history, factors):
            d = d + (weights.pop() - y.dot(d) * factor) * s
        return d

    @torch.no_grad()
    def step(self, closure):
        group = self.param_groups[0]
        most = group["max_iter"]
        most_calls = most * 1.25 if group["max_eval"] is None else group["max_eval"]
        loss, g = self.evaluate(closure)
        f, calls, count = float(loss), 1, 0
        self.losses = [f]
        if g.abs().sum() <= group["tolerance_grad"]:
            self.report("optimality condition below tolFun")
            return loss
        if not self.count:
            self.report("creating recyclable direction/step/history buffers")
        x = torch.cat([p.flatten() for p in self.params])
        while count < most:
            count += 1
            self.count += 1
            if self.count == 1:
                self.d = -g
            else:
                s, y = self.d * self.t, g - self.g
                if y.dot(s) > 1e-10:
                    self.history = [*self.history, (s, y)][-group["history_size"] :]
                    self.scale = y.dot(s) / y.dot(y)
                self.d = self.direction(g)
            self.g, before = g.clone(), f
            slope = g.dot(self.d).item()
            if slope > -group["tolerance_change"]:
                break
            self.t = group["lr"] * (min(1, 1 / g.abs().sum().item()) if self.count == 1 else 1)
            more = 0
            if self.line_search is not None:
                f, g, self.t, more = self.line_search(
                    lambda t, x=x: self.evaluate(closure, x + t * self.d), self.t, self.d, f, g, slope
                )
                x = x + self.t * self.d
                self.losses.append(f)
            else:
                x = x + self.t * self.d
                if count != most:  # the last step of a call is not evaluated
                    f, g = self.evaluate(closure, x)
                    f, more = float(f), 1
                    self.losses.append(f)
            calls += more
            if count == most:
                self.report("reached max number of iterations")
                break
            if calls >= most_calls:
                self.report("max nb of function evals")
                break
            if g.abs().sum() <= group["tolerance_grad"]:
                self.report("optimality condition below tolFun")
                break
            if (self.d * self.t).abs().sum() <= group["tolerance_change"]:
                self.report("step size below tolX")
                break
            if abs(f - before) < group["tolerance_change"]:
                self.report("function value changing less than tolX")
                break
        for p, part in zip(self.params, x.split([p.numel() for p in self.params])):
            p.copy_(part.view_as(p))
        return loss'''

LSWOLFE = '''def interpolate(points, low, high):
    """Where the cubic through two points (x, f, slope) is least, between two bounds."""
    rows = [[x**3, x**2, x, 1.0] for x, _, _ in points] + [[3 * x**2, 2 * x, 1.0, 0.0] for x, _, _ in points]
    right = [[f] for _, f, _ in points] + [[slope] for _, _, slope in points]
    solved = torch.linalg.lstsq(torch.tensor(rows), torch.tensor(right), driver="gels").solution
    a, b, c, d = (0.0 if abs(v) <= 1e-12 else v for v in solved.flatten().tolist())
    inside = 4 * b * b - 12 * a * c
    candidates = [low, high, *(x for x, _, _ in points)]
    if a and inside >= 0:
        candidates += [(-2 * b + inside**0.5) / (6 * a), (-2 * b - inside**0.5) / (6 * a)]
    elif not a and b:
        candidates.append(-c / (2 * b))
    candidates = [x for x in candidates if low <= x <= high]
    return min(candidates, key=lambda x: a * x**3 + b * x**2 + c * x + d, default=(low + high) / 2)


def cubic(one, two):
    """The minimum of the cubic through two points (x, f, slope), between them."""
    (x1, f1, g1), (x2, f2, g2) = sorted([one, two], key=lambda point: point[0])
    if x1 == x2:
        return x1
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    inside = d1**2 - g1 * g2
    if inside < 0:
        return (x1 + x2) / 2
    above, below = g2 + inside**0.5 - d1, g2 - g1 + 2 * inside**0.5
    if not below:
        return x1 if above > 0 else x2
    return min(max(x2 - (x2 - x1) * above / below, x1), x2)


def lswolfe(evaluate, t, d, f, g, slope, c1=1e-4, c2=0.9, tolerance=1e-9, most=20):
    """optim.lswolfe: a step t along d that satisfies the strong Wolfe conditions. Gives loss, gradient, t and calls."""

    def go(t):
        value, gradient = evaluate(t)
        return t, float(value), gradient.clone(), gradient.dot(d).item()

    here = go(t)
    last = 0.0, f, g.clone(), slope
    calls, rounds, done, bracket = 1, 0, False, []
    while rounds < most:
        if here[1] > f + c1 * here[0] * slope or (rounds > 1 and here[1] >= last[1]):
            bracket = [last, here]
            break
        if abs(here[3]) <= -c2 * slope:
            bracket, done = [here], True
            break
        if here[3] >= 0:
            bracket = [last, here]
            break
        points = [(p[0], p[1], p[3]) for p in (last, here)]
        t = interpolate(points, here[0] + 0.01 * (here[0] - last[0]), here[0] * 10)
        last, here = here, go(t)
        calls, rounds = calls + 1, rounds + 1
    if rounds == most:
        bracket = [(0.0, f, g.clone(), slope), here]

    stuck = False
    while not done and rounds < most:
        low = 0 if bracket[0][1] <= bracket[1][1] else 1
        t = cubic(*((p[0], p[1], p[2].dot(d).item()) for p in bracket))
        left, right = sorted(p[0] for p in bracket)
        near = min(right - t, t - left) / (right - left) < 0.1 if right > left else False
        if near and (stuck or t >= right or t <= left):
            step = 0.1 * (right - left)
            t = right - step if abs(t - right) < abs(t - left) else left + step
            near = False
        stuck = near
        here = go(t)
        calls, rounds = calls + 1, rounds + 1
        if here[1] > f + c1 * t * slope or here[1] >= bracket[low][1]:
            bracket[1 - low] = here
        else:
            if abs(here[3]) <= -c2 * slope:
                done = True
            elif here[3] * (bracket[1 - low][0] - bracket[low][0]) >= 0:
                bracket[1 - low] = bracket[low]
            bracket[low] = here
        if not done and abs((bracket[0][0] - bracket[1][0]) * here[3]) < tolerance:
            break
    t, value, gradient, _ = min(bracket, key=lambda p: p[1])
    return value, gradient, t, calls'''

CG = '''def divide(a, b):
    """a / b, as of floating numbers where b is 0."""
    return a / b if b else math.nan if a == 0 or a != a else math.copysign(math.inf, a)


def root(a):
    return math.sqrt(a) if a >= 0 else math.nan


class CG(torch.optim.Optimizer):
    """Conjugate gradients with a line search as optim.cg computes them, after Rasmussen's ``minimize``.

    After a step, ``losses`` has the loss at the start and after each line search.
    """

    def __init__(self, params, max_iter=20, max_eval=None, rho=0.01, sig=0.5, interval=0.1, ext=3.0, ratio=100):
        names = {"max_iter": max_iter, "max_eval": max_eval, "rho": rho, "sig": sig}
        super().__init__(params, names | {"interval": interval, "ext": ext, "ratio": ratio})
        self.params = self.param_groups[0]["params"]
        self.losses = []

    def evaluate(self, closure, x):
        """The loss and its gradient at x."""
        for p, part in zip(self.params, x.split([p.numel() for p in self.params])):
            p.copy_(part.view_as(p))
        with torch.enable_grad():
            loss = closure()
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.params]
        return loss, torch.cat([grad.flatten() for grad in grads])

    @torch.no_grad()
    def step(self, closure):
        group = self.param_groups[0]
        rho, sig, inner, outer = group["rho"], group["sig"], group["interval"], group["ext"]
        most_calls = abs(group["max_iter"] * 1.25 if group["max_eval"] is None else group["max_eval"])
        x = torch.cat([p.flatten() for p in self.params])
        loss, g1 = self.evaluate(closure, x)
        f1, calls = float(loss), 1
        self.losses = [f1]
        d = -g1
        slope1 = -d.dot(d).item()
        z1 = divide(1, 1 - slope1)
        while calls < most_calls:
            start = x
            x = x + z1 * d
            f2, g2 = self.evaluate(closure, x)
            f2, slope2, calls = float(f2), g2.dot(d).item(), calls + 1
            f3, slope3, z3 = f1, slope1, -z1  # the third point is where the search began
            left = min(group["max_iter"], most_calls - calls)
            success, limit = False, -1.0
            while True:
                while (f2 > f1 + z1 * rho * slope1 or slope2 > -sig * slope1) and left > 0:
                    limit = z1
                    if f2 > f1:  # the parabola through the values and one slope
                        z2 = z3 - divide(0.5 * slope3 * z3 * z3, slope3 * z3 + f2 - f3)
                    else:  # the cubic
                        a = divide(6 * (f2 - f3), z3) + 3 * (slope2 + slope3)
                        b = 3 * (f3 - f2) - z3 * (slope3 + 2 * slope2)
                        z2 = divide(root(b * b - a * slope2 * z3 * z3) - b, a)
                    if not math.isfinite(z2):
                        z2 = z3 / 2
                    z2 = max(min(z2, inner * z3), (1 - inner) * z3)
                    z1, x = z1 + z2, x + z2 * d
                    f2, g2 = self.evaluate(closure, x)
                    f2, slope2, calls = float(f2), g2.dot(d).item(), calls + 1
                    left, z3 = left - 1, z3 - z2
                if f2 > f1 + z1 * rho * slope1 or slope2 > -sig * slope1:
                    break
                if slope2 > sig * slope1:
                    success = True
                    break
                if left == 0:
                    break
                a = divide(6 * (f2 - f3), z3) + 3 * (slope2 + slope3)
                b = 3 * (f3 - f2) - z3 * (slope3 + 2 * slope2)
                z2 = divide(-slope2 * z3 * z3, b + root(b * b - a * slope2 * z3 * z3))
                if not math.isfinite(z2) or z2 < 0:
                    z2 = z1 * (outer - 1) if limit < -0.5 else (limit - z1) / 2
                elif limit > -0.5 and z2 + z1 > limit:
                    z2 = (limit - z1) / 2
                elif limit < -0.5 and z2 + z1 > z1 * outer:
                    z2 = z1 * (outer - 1)
                elif z2 < -z3 * inner:
                    z2 = -z3 * inner
                elif limit > -0.5 and z2 < (limit - z1) * (1 - inner):
                    z2 = (limit - z1) * (1 - inner)
                f3, slope3, z3 = f2, slope2, -z2
                z1, x = z1 + z2, x + z2 * d
                f2, g2 = self.evaluate(closure, x)
                f2, slope2, calls, left = float(f2), g2.dot(d).item(), calls + 1, left - 1
            if not success:  # the search is undone
                x = start
                break
            f1 = f2
            self.losses.append(f1)
            d = d * divide((g2.dot(g2) - g2.dot(g1)).item(), g1.dot(g1).item()) - g2
            g1 = g2
            slope2 = g1.dot(d).item()
            if slope2 > 0:  # not down: along the gradient instead
                d = -g1
                slope2 = -d.dot(d).item()
            z1 *= min(group["ratio"], divide(slope1, slope2 - 1e-320))
            slope1 = slope2
        for p, part in zip(self.params, x.split([p.numel() for p in self.params])):
            p.copy_(part.view_as(p))
        return loss'''

CLASSES = {
    "adam": ADAM,
    "adam on data": ADAM_ON_DATA,
    "sgd": SGD,
    "sgd by element": SGD_BY_ELEMENT,
    "nag": NAG,
    "lbfgs": LBFGS,
    "lswolfe": LSWOLFE,
    "cg": CG,
}
