"""Texts that are written out into a page: what PyTorch has no plain equivalent for."""

from __future__ import annotations

__all__ = ["HELPERS"]

HELPERS: dict[str, str] = {}


def helper(name: str, text: str) -> None:
    """Register a text under the name that it defines."""
    if name in HELPERS:
        raise ValueError(f"two helpers are called {name}")
    HELPERS[name] = text


helper(
    "pad_inside",
    '''
def pad_inside(x, dim, at, count, value):
    """Put entries of a value in front of an entry along a dimension; below 0 it is counted from the end."""
    before, after = x.tensor_split([at if at > 0 else x.shape[dim] + at], dim)
    shape = list(x.shape)
    shape[dim] = count
    return torch.cat((before, x.new_full(shape, value), after), dim)
''',
)

helper(
    "depth_concat",
    '''
def depth_concat(parts, dim):
    """Join tensors along a dimension; in the others a smaller one lies in the middle, with zeros around it."""
    sizes = [max(part.shape[d] for part in parts) for d in range(parts[0].dim())]
    padded = []
    for part in parts:
        margins = []
        for d in reversed(range(part.dim())):
            missing = 0 if d == dim else sizes[d] - part.shape[d]
            margins += [missing // 2, missing - missing // 2]
        padded.append(F.pad(part, margins))
    return torch.cat(padded, dim)
''',
)

helper(
    "MappedConvolution",
    '''
class MappedConvolution(nn.Module):
    """A convolution between chosen planes: each connection (from, to) has a window of its own."""

    def __init__(self, connections, kernel, stride=1, transposed=False):
        super().__init__()
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.register_buffer("connections", connections - 1)
        self.inputs, self.outputs = connections.amax(0).tolist()
        self.weight = nn.Parameter(torch.empty(len(connections), *kernel))
        self.bias = nn.Parameter(torch.empty(self.outputs))
        nn.init.uniform_(self.weight, -0.1, 0.1)
        nn.init.uniform_(self.bias, -0.1, 0.1)
        self.stride, self.transposed = stride, transposed

    def forward(self, x):
        start, end = self.connections.unbind(1)
        if self.transposed:
            whole = self.weight.new_zeros(self.inputs, self.outputs, *self.weight.shape[1:])
            whole = whole.index_put((start, end), self.weight, accumulate=True)
            return F.conv_transpose2d(x, whole, self.bias, stride=self.stride)
        whole = self.weight.new_zeros(self.outputs, self.inputs, *self.weight.shape[1:])
        whole = whole.index_put((end, start), self.weight, accumulate=True)
        return F.conv2d(x, whole, self.bias, stride=self.stride)
''',
)

helper(
    "LocalConvolution",
    '''
class LocalConvolution(nn.Module):
    """A convolution with a window of its own for every place of an image."""

    def __init__(self, inputs, outputs, size, kernel, stride=1, padding=0):
        super().__init__()
        size, kernel, stride, padding = (
            (n, n) if isinstance(n, int) else n for n in (size, kernel, stride, padding)
        )
        places = [(s + 2 * p - k) // d + 1 for s, k, d, p in zip(size, kernel, stride, padding, strict=True)]
        bound = 1 / (kernel[0] * kernel[1] * inputs) ** 0.5
        self.weight = nn.Parameter(torch.empty(*places, outputs, inputs, *kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs, *places).uniform_(-bound, bound))
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x):
        columns = F.unfold(x, self.kernel, padding=self.padding, stride=self.stride)
        weight = self.weight.flatten(0, 1).flatten(2)  # (place, output, window)
        y = torch.einsum("pow,...wp->...op", weight, columns)
        return y.unflatten(-1, self.bias.shape[1:]) + self.bias
''',
)

helper(
    "feature_lp_pool",
    '''
def feature_lp_pool(x, width, stride, power, dim):
    """The p-norm of every window of planes."""
    return x.unfold(dim, width, stride).pow(power).sum(-1).pow(1 / power)
''',
)

helper(
    "k_max_pool",
    '''
def k_max_pool(x, least, factor):
    """The k largest frames of every feature, in their order; k is a part of the frames, and at least a number."""
    k = max(least, math.ceil(factor * x.shape[-2]))
    return x.gather(-2, x.topk(k, dim=-2).indices.sort(-2).values)
''',
)

helper(
    "SubSampling",
    '''
class SubSampling(nn.Module):
    """The sum of each window, times a learned weight of the plane, plus a bias."""

    def __init__(self, planes, kernel, stride=1):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.weight = nn.Parameter(torch.ones(planes))
        self.bias = nn.Parameter(torch.zeros(planes))

    def forward(self, x):
        sums = F.avg_pool2d(x, self.kernel, self.stride, divisor_override=1)
        return sums * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)
''',
)

helper(
    "TemporalSubSampling",
    '''
class TemporalSubSampling(nn.Module):
    """The sum of every few frames, times a learned weight of the feature, plus a bias."""

    def __init__(self, features, kernel, stride=1):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, x):
        return x.unfold(-2, self.kernel, self.stride).sum(-1) * self.weight + self.bias
''',
)

helper(
    "LayerNormalization",
    '''
class LayerNormalization(nn.Module):
    """Layer normalization as Torch7 has it: of a batch, the k-th element in memory loses the mean of example
    k % batch, which for one example is its own."""

    def __init__(self, size, eps=1e-10, affine=True):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(size)) if affine else None
        self.bias = nn.Parameter(torch.zeros(size)) if affine else None

    def forward(self, x):
        size = x.shape[-1]
        x = x - x.mean(-1).expand(size, *x.shape[:-1]).reshape(x.shape)
        x = x / (x.square().sum(-1, keepdim=True) + self.eps).sqrt() * size**0.5
        return x if self.weight is None else x * self.weight + self.bias
''',
)

helper(
    "LocalMean",
    '''
class LocalMean(nn.Module):
    """The mean around each pixel, over all planes, weighted by a kernel; at the border over what is inside."""

    def __init__(self, planes, kernel):
        super().__init__()
        kernel = torch.outer(kernel, kernel) if kernel.dim() == 1 else kernel
        kernel = kernel.to(torch.get_default_dtype())
        self.register_buffer("kernel", (kernel / (kernel.sum() * planes)).repeat(1, planes, 1, 1))

    def around(self, x):
        return F.conv2d(x, self.kernel, padding=tuple(n // 2 for n in self.kernel.shape[2:]))

    def share(self, x):
        """How much of the kernel lies inside the image."""
        return self.around(torch.ones_like(x))
''',
)

helper(
    "SubtractiveNormalization",
    '''
class SubtractiveNormalization(LocalMean):
    """Subtracts the mean around each pixel."""

    def forward(self, x):
        return x - self.around(x) / self.share(x)
''',
)

helper(
    "DivisiveNormalization",
    '''
class DivisiveNormalization(LocalMean):
    """Divides by the root of the mean square around each pixel, where that is above a threshold."""

    def __init__(self, planes, kernel, threshold=1e-4, value=1e-4):
        super().__init__(planes, kernel)
        self.threshold, self.value = threshold, value

    def forward(self, x):
        deviation = torch.sqrt(self.around(x.square())) / self.share(x)
        return x / F.threshold(deviation, self.threshold, self.value)
''',
)

helper(
    "WhiteNoise",
    '''
class WhiteNoise(nn.Module):
    """Adds normal noise in training, and its mean in evaluation."""

    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x):
        return x + self.mean + (self.std * torch.randn_like(x) if self.training else 0)
''',
)

helper(
    "scale_gradient",
    '''
def scale_gradient(x, factor):
    """x, whose gradient is multiplied by a factor on its way back."""
    return x.detach() + factor * (x - x.detach())
''',
)

helper(
    "L1Penalty",
    '''
class L1Penalty(torch.autograd.Function):
    """x, whose gradient gains that of weight * |x|; unless it passes the gradient on, it is that alone."""

    @staticmethod
    def forward(ctx, x, weight, passes=True):
        ctx.save_for_backward(x)
        ctx.weight, ctx.passes = weight, passes
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        penalty = ctx.weight * x.sign()
        return (gradient + penalty if ctx.passes else penalty), None, None
''',
)

helper(
    "normalize",
    '''
def normalize(x, p, eps=1e-10):
    """x divided by its p-norm, with Torch7's gradient, in which eps keeps powers from 0."""
    size = x.detach().abs()
    if p == math.inf:
        norm = size.amax(-1, keepdim=True) + eps
        largest = size.argmax(-1, keepdim=True)
        slope = torch.zeros_like(x).scatter(-1, largest, (x.detach() / norm).gather(-1, largest))
    else:
        power = size.pow(p).sum(-1, keepdim=True) + eps
        norm = power ** (1 / p)
        slope = (size + (eps if p < 2 else 0)).pow(p - 2) * x.detach() * norm / power
    return x / (norm + (slope * (x - x.detach())).sum(-1, keepdim=True))
''',
)

helper(
    "distance",
    '''
def distance(difference, p=2, eps=1e-7, dim=-1, keepdim=False):
    """The p-norm of differences, with Torch7's gradient: that of the norm with eps added to it."""
    norm = torch.linalg.vector_norm(difference, p, dim=dim, keepdim=keepdim)
    factor = (norm / (norm + eps)).detach() ** (p - 1)
    return norm.detach() + factor * (norm - norm.detach())
''',
)

helper(
    "Euclidean",
    '''
class Euclidean(nn.Module):
    """The distances of the input to the columns of the weight."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / inputs**0.5
        self.weight = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))

    def forward(self, x):
        return distance(x.unsqueeze(-1) - self.weight, dim=-2)
''',
)

helper(
    "WeightedEuclidean",
    '''
class WeightedEuclidean(nn.Module):
    """The distances of the input to the columns of the weight, each coordinate scaled."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / inputs**0.5
        self.weight = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))
        self.scale = nn.Parameter(torch.ones(inputs, outputs))

    def forward(self, x):
        return distance(self.scale * (x.unsqueeze(-1) - self.weight), dim=-2)
''',
)

helper(
    "Cosine",
    '''
class Cosine(nn.Module):
    """The cosines of the angles between the input and the rows of the weight."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / outputs**0.5
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))

    def forward(self, x):
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True) + 1e-12
        return x @ self.weight.t() / (torch.linalg.vector_norm(self.weight, dim=1) + 1e-12) / length
''',
)

helper(
    "cosine_similarity",
    '''
def cosine_similarity(a, b):
    """The cosine of the angle between vectors."""
    return (a * b).sum(-1) / ((a.square().sum(-1) + 1e-12) * (b.square().sum(-1) + 1e-12)).sqrt()
''',
)

helper(
    "SparseLinear",
    '''
class SparseLinear(nn.Module):
    """A linear layer on sparse vectors: an example is rows of an index (from 1) and a value; a batch is a tuple."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / inputs**0.5
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        if isinstance(x, torch.Tensor) and x.dim() == 2:
            return self.weight[:, x[:, 0].long() - 1] @ x[:, 1] + self.bias
        return torch.stack([self(example) for example in x])
''',
)

helper(
    "PeepholeLSTM",
    '''
class PeepholeLSTM(nn.Module):
    """An LSTM whose gates also see the cell, each unit its own (Graves, 2013)."""

    def __init__(self, inputs, size):
        super().__init__()
        self.size = size
        self.from_input = nn.Linear(inputs, 4 * size)
        self.from_output = nn.Linear(size, 4 * size, bias=False)
        self.peepholes = nn.Parameter(torch.empty(3, size).uniform_(-(size**-0.5), size**-0.5))

    def forward(self, x, state=None):
        zeros = x.new_zeros(*x.shape[1:-1], self.size)
        h, c = (zeros, zeros) if state is None else state
        to_input, to_forget, to_output = self.peepholes
        outputs = []
        for gates in self.from_input(x):
            i, f, z, o = (gates + self.from_output(h)).chunk(4, -1)
            i, f = torch.sigmoid(i + to_input * c), torch.sigmoid(f + to_forget * c)
            c = f * c + i * torch.tanh(z)
            h = torch.sigmoid(o + to_output * c) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs), (h, c)
''',
)

helper(
    "GRU",
    '''
class GRU(nn.Module):
    """A gated recurrent unit that resets its output before the product, where nn.GRU resets the product."""

    def __init__(self, inputs, size, batch_first=False):
        super().__init__()
        self.size, self.batch_first = size, batch_first
        self.gates_from_input = nn.Linear(inputs, 2 * size)
        self.gates_from_output = nn.Linear(size, 2 * size, bias=False)
        self.from_input = nn.Linear(inputs, size)
        self.from_kept = nn.Linear(size, size, bias=False)

    def forward(self, x, h=None):
        x = x.transpose(0, 1) if self.batch_first else x
        h = x.new_zeros(*x.shape[1:-1], self.size) if h is None else h
        outputs = []
        for gates, new in zip(self.gates_from_input(x), self.from_input(x), strict=True):
            r, z = torch.sigmoid(gates + self.gates_from_output(h)).chunk(2, -1)
            h = z * h + (1 - z) * torch.tanh(new + self.from_kept(r * h))
            outputs.append(h)
        return torch.stack(outputs, 1 if self.batch_first else 0), h
''',
)

helper(
    "MaskedLSTM",
    '''
class MaskedLSTM(nn.LSTMCell):
    """An LSTM whose output and state become 0 where a step's input is 0."""

    def __init__(self, inputs, size, batch_first=False):
        super().__init__(inputs, size)
        self.batch_first = batch_first

    def forward(self, x, state=None):
        x = x.transpose(0, 1) if self.batch_first else x
        zeros = x.new_zeros(x.shape[1], self.hidden_size)
        h, c = (zeros, zeros) if state is None else state
        outputs = []
        for step in x:
            mask = (step == 0).all(-1, keepdim=True)
            h, c = (s.masked_fill(mask, 0) for s in super().forward(step, (h, c)))
            outputs.append(h)
        return torch.stack(outputs, 1 if self.batch_first else 0), (h, c)
''',
)

helper(
    "simplex",
    '''
def simplex(classes):
    """The corners of a regular simplex around the origin, at distance 1 from it, one a row; a last column of 0."""
    n = classes - 1
    corners = torch.zeros(classes, classes, dtype=torch.float64)
    for k in range(n):
        corners[k, k] = height = (1 - corners[k].square().sum()).sqrt()
        corners[k + 1 :, k] = (height * height - 1 - 1 / n) / height
    return corners
''',
)

helper(
    "center_crop",
    '''
def center_crop(x, size):
    """The middle of images, of a smaller size."""
    (height, width), (tall, wide) = x.shape[-2:], size
    top, left = (height - tall) // 2, (width - wide) // 2
    return x[..., top : top + tall, left : left + wide]
''',
)

helper(
    "AddGradient",
    '''
class AddGradient(torch.autograd.Function):
    """x, whose gradient gains another."""

    @staticmethod
    def forward(ctx, x, gradient):
        ctx.save_for_backward(gradient)
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient + ctx.saved_tensors[0], None
''',
)

helper(
    "with_penalty",
    '''
def with_penalty(x, penalty):
    """x, whose gradient gains that of a penalty, which is not in any loss."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(penalty(leaf), leaf)
    return AddGradient.apply(x, gradient)
''',
)

helper(
    "mean_entropy",
    '''
def mean_entropy(x):
    """The entropy of the mean of distributions, the rows of x."""
    p = x.sum(0) / x.sum().detach()
    return -(p * torch.log(p + 1e-6)).sum()
''',
)

helper(
    "flatten_parameters",
    '''
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
''',
)

helper(
    "run_name",
    '''
def run_name(parser, prefix, values, ignore):
    """A name for a run: a prefix and the options that are not at their defaults, but for those to be ignored."""
    parts = []
    defaults = vars(parser.parse_args([]))
    for key, value in sorted(vars(values).items()):
        if ignore.get(key):
            print(f"-- ignore option {key}")
        elif key not in defaults:
            print(f"WARNING: unknown option/argument: {key} IGNORING for DIRECTORY NAME")
        elif value != defaults[key] or ignore.get(key) is False:
            shown = ("t" if value else "f") if isinstance(value, bool) else value
            parts.append(f"{key}={shown:.14g}" if isinstance(shown, float) else f"{key}={shown}")
            print(key, shown, defaults[key], sep="\\t")
    return ",".join([prefix, *sorted(parts)])
''',
)

helper(
    "open_or_none",
    '''
def open_or_none(path, mode="r"):
    """The opened file, or None where it cannot be opened."""
    try:
        return open(path, mode)
    except OSError:
        return None
''',
)

helper(
    "to_number",
    '''
def to_number(text):
    """The number that a text says, or None."""
    try:
        return float(text) if "x" not in text.lower() else float(int(text, 16))
    except (TypeError, ValueError, AttributeError):
        return None
''',
)

helper(
    "Logger",
    '''
class Logger:
    """Writes values to a file: a line of their names, then one for each set of values."""

    def __init__(self, path):
        self.path, self.empty = path, True
        with open(path, "w"):
            pass

    def write(self, texts):
        with open(self.path, "a") as file:
            file.write("".join(f"{text}\\t" for text in texts) + "\\n")

    def set_names(self, names):
        self.empty = False
        self.write(names)

    def add(self, values):
        named = sorted(values.items()) if isinstance(values, dict) else list(enumerate(values, 1))
        if self.empty:
            self.set_names([name for name, _ in named])
        self.write([f"{value:11.4e}" for _, value in named])
''',
)

helper(
    "ConfusionMatrix",
    '''
class ConfusionMatrix:
    """How often each class was taken for each; they count from 1, and a target below 1 is missing."""

    def __init__(self, classes):
        count = classes if isinstance(classes, int) else len(classes)
        self.classes = range(1, count + 1) if isinstance(classes, int) else classes
        self.mat = torch.zeros(count, count, dtype=torch.int64)
        self.valids, self.totalValid, self.averageValid = torch.zeros(count), 0, 0

    def zero(self):
        self.mat.zero_()

    def add(self, prediction, target):
        self.batch_add(torch.as_tensor(prediction)[None], torch.as_tensor(target)[None])

    def batch_add(self, predictions, targets):
        found, wanted = (x.argmax(1) if x.dim() > 1 else x.long() - 1 for x in (predictions, targets))
        there = wanted >= 0
        size = len(self.mat)
        self.mat += torch.bincount((wanted * size + found)[there], minlength=size**2).view(size, size)

    def update_valids(self):
        right = self.mat.diagonal().double()
        self.valids = (right / self.mat.sum(1)).float()  # as optim keeps them
        self.averageValid = self.valids.double().nanmean().item()
        self.totalValid = (right.sum() / self.mat.sum()).item()

    def __str__(self):
        self.update_valids()
        rows = zip(self.mat.tolist(), self.valids.tolist(), self.classes)
        lines = [f"{row} {100 * valid:.3f}% of {name}" for row, valid, name in rows]
        return "\\n".join([*lines, f"average {100 * self.averageValid:.14g}%, all {100 * self.totalValid:.14g}%"])
''',
)
