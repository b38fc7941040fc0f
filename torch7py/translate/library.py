"""What the names of Lua's and Torch7's libraries give, as far as the translation must know it."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate.facts.methods import COMPARISONS, ELEMENTWISE

__all__ = [
    "CONFUSION_FIELDS",
    "CREATORS",
    "CRITERION_ENDINGS",
    "DECOMPOSITIONS",
    "DRAWS",
    "FUNCTION_RESULTS",
    "LISTS_OF_FUNCTIONS",
    "LISTS_OF_METHODS",
    "MATRIX_FUNCTIONS",
    "MODULE_LISTS",
    "NAME_LISTS",
    "NUMBER_METHODS",
    "STORAGES",
    "TENSOR_LISTS",
    "TENSOR_METHODS",
    "TENSOR_TYPES",
    "is_class",
    "is_criterion",
    "option_name",
    "writes_image",
]

TENSOR_TYPES = {
    "torch.Tensor": None,
    "torch.DoubleTensor": "Double",
    "torch.FloatTensor": "Float",
    "torch.LongTensor": "Long",
    "torch.IntTensor": "Int",
    "torch.ShortTensor": "Short",
    "torch.ByteTensor": "Byte",
    "torch.CharTensor": "Char",
    "torch.CudaTensor": "Float",
    "torch.CudaDoubleTensor": "Double",
    "torch.CudaLongTensor": "Long",
    "torch.CudaIntTensor": "Int",
    "torch.CudaShortTensor": "Short",
    "torch.CudaByteTensor": "Byte",
    "torch.CudaCharTensor": "Char",
}

# the fields of an optim.ConfusionMatrix
CONFUSION_FIELDS = {
    **dict.fromkeys(("totalValid", "averageValid", "averageUnionValid", "nclasses"), "number"),
    **dict.fromkeys(("mat", "valids", "unionvalids"), "tensor"),
}

# torch.f(sizes...) whose result has as many dimensions as it is given sizes
CREATORS = {"zeros", "ones", "rand", "randn"}

# torch.f(...) with several results: how many dimensions each has
DECOMPOSITIONS = {"symeig": (1, 2), "svd": (2, 1, 2), "qr": (2, 2), "gesv": (2, 2), "gels": (2, 2)}

# x:f(...) that needs a tensor and gives one
TENSOR_METHODS = (
    ELEMENTWISE
    | COMPARISONS.keys()
    | set(
        "add mul div cmul cdiv csub pow addcmul addcdiv clamp fill zero copy resize resizeAs cmax cmin"
        " uniform normal bernoulli random geometric exponential cauchy logNormal"
        " t transpose view viewAs reshape expand expandAs repeatTensor contiguous narrow select index"
        " indexCopy indexAdd indexFill gather scatter maskedSelect maskedFill maskedCopy unfold squeeze"
        " cumsum cumprod addmm addmv addr addbmm baddbmm mm mv ger"
        " double float long int byte char short cuda typeAs tril triu diag sort fmod remainder"
        " clone set cl cinv atan2 lerp cpow cfmod cremainder multinomial".split()
    )
)

# torch.f(...) that draws a number, and torch.f(x, ...), which fills a tensor with such
DRAWS = {"bernoulli", "cauchy", "exponential", "geometric", "logNormal", "normal", "random", "uniform"}

# torch.f(...) that gives a tensor, and has no native form
TENSOR_FUNCTIONS = set("conv2 conv3 xcorr2 xcorr3 cross histc renorm inverse nonzero".split())

# image.f(...) that gives an image
IMAGES = set(
    "load loadJPG loadPNG loadPPM decompress crop scale hflip vflip flip rotate translate warp affinetransform"
    " convolve gaussian gaussian1D laplacian lcn erode dilate lena minmax toDisplayTensor drawRect drawText"
    " rgb2y y2jet jetColormap colormap rgb2yuv yuv2rgb rgb2hsv hsv2rgb rgb2hsl hsl2rgb rgb2lab lab2rgb rgb2nrgb".split()
)
# ... of another one, and with a tensor before it leaves it there
_IMAGES_OF_ANOTHER = set("hflip vflip scale rotate rgb2y rgb2yuv yuv2rgb".split())
# ... of as many dimensions as its first argument
IMAGES_AS_GIVEN = {"hflip", "vflip", "flip", "crop", "scale", "rotate", "translate", "convolve"}
# ... of so many
IMAGE_RANKS = {
    **dict.fromkeys(
        "rgb2y y2jet rgb2yuv yuv2rgb rgb2hsv hsv2rgb rgb2hsl hsl2rgb rgb2lab lab2rgb rgb2nrgb".split(), 3
    ),
    **dict.fromkeys("gaussian laplacian jetColormap colormap".split(), 2),
    "gaussian1D": 1,
}

# torch.f(...) that gives a matrix
MATRIX_FUNCTIONS = set("eye potrf potri potrs trtrs eig".split())

# x:f(...) that needs a tensor and gives a number, when it is called without a dimension
NUMBER_METHODS = set(
    "sum mean std var max min norm prod dot dim nDimension nElement numel dist trace".split()
)

# ... and that are whole numbers
WHOLE_METHODS = {"dim", "nDimension", "nElement", "numel"}


# global functions with one result: its kind
FUNCTION_RESULTS = {
    "tonumber": "number",
    "tostring": "string",
    "type": "string",
    "torch.type": "string",
    "torch.typename": "string",
    "string.format": "string",
    "string.sub": "string",
    "string.rep": "string",
    "string.lower": "string",
    "string.upper": "string",
    "string.char": "string",
    "string.gsub": "string",
    "string.len": "whole",
    "string.reverse": "string",
    "string.byte": "whole",
    "table.concat": "string",
    "table.getn": "whole",
    "math.floor": "whole",
    "math.ceil": "whole",
    "math.pi": "number",
    "math.huge": "number",
    "os.time": "whole",
    "os.clock": "number",
    "os.date": "string",
    "os.tmpname": "string",
    "os.getenv": "string",
    "sys.clock": "number",
    "torch.uniform": "number",
    "torch.normal": "number",
    "torch.random": "whole",
    "torch.bernoulli": "whole",
    "torch.initialSeed": "whole",
    "torch.seed": "whole",
    "torch.getRNGState": "tensor",
    "cutorch.getRNGState": "tensor",
    "torch.getnumthreads": "whole",
    "torch.getdefaulttensortype": "string",
    "nn.utils.addSingletonDimension": "tensor",
    "torch.equal": "boolean",
    "torch.isSetTo": "boolean",
    "torch.isStorage": "boolean",
    "torch.isTensor": "boolean",
    "torch.isTypeOf": "boolean",
    "paths.concat": "string",
    "paths.tmpname": "string",
    "paths.filep": "boolean",
    "paths.dirp": "boolean",
    "paths.basename": "string",
    "paths.extname": "string",
    "paths.dirname": "string",
    "sys.basename": "string",
    "sys.dirname": "string",
    "path.join": "string",
    "path.exists": "boolean",
    "paths.mkdir": "boolean",
    "lfs.mkdir": "boolean",
    "torch.DiskFile": "file",
    "optim.Logger": "logger",
    "cutorch.getDeviceCount": "whole",
    "cutorch.getDevice": "whole",
    "io.open": "file",
    "io.popen": "file",
    "io.tmpfile": "file",
    "paths.cwd": "string",
    "lfs.currentdir": "string",
    "os.difftime": "number",
    "coroutine.resume": "boolean",
    "rawequal": "boolean",
    "xpcall": "boolean",
    "string.gmatch": "matches",
    "cjson.encode": "string",
    "hdf5.open": "hdf5",
    "io.read": "string",
    "ffi.string": "string",
    "ffi.os": "string",
    "jit.os": "string",
    "sys.execute": "string",
    "sys.fexecute": "string",
    "torch.Timer": "timer",
    "torch.tic": "number",
    "torch.toc": "number",
    "sys.toc": "number",
    "torch.CmdLine": "cmdline",
}

# The methods of objects that Lua's library and Torch7's packages make, whose classes a page does not hold.
METHODS_OF_OBJECTS = set(
    "add all argument batchAdd close dataspaceSize display error flush log option parse partial plot quiet read"
    " readString reset resume seek setNames setlogscale stop string style text updateValids write writeString"
    " zero".split()
)

MATH = set(
    "abs acos asin atan atan2 cos cosh deg exp fmod log log10 max min pow rad sin sinh sqrt tan tanh".split()
)
# Modules of Penlight that are globals of every program, as th makes them.
PENLIGHT = set("dir file path pretty stringx tablex text utils".split())
_STRINGX = {
    **dict.fromkeys("strip lstrip rstrip replace ljust rjust join".split(), "string"),
    **dict.fromkeys("startswith endswith".split(), "boolean"),
    **dict.fromkeys("count lfind".split(), "whole"),
}
for _name, _kind in _STRINGX.items():
    FUNCTION_RESULTS[f"pl.stringx.{_name}"] = _kind
for _name in "join basename dirname abspath extension".split():
    FUNCTION_RESULTS[f"pl.path.{_name}"] = "string"
for _name in "exists isfile isdir".split():
    FUNCTION_RESULTS[f"pl.path.{_name}"] = "boolean"
FUNCTION_RESULTS["pl.file.read"] = "string"
# Iterators over the names in a directory.
LISTINGS = {"paths.files", "paths.iterfiles", "paths.iterdirs", "lfs.dir"}
# Lists of the names in a directory.
NAME_LISTS = {"paths.dir", "pl.dir.getdirectories", "pl.dir.getfiles"}
SPLITS = {"pl.stringx.split", "pl.utils.split", "sys.split"}
LISTS_OF_FUNCTIONS = SPLITS | NAME_LISTS | {"string.split"}
MODULE_LISTS = {"findModules", "listModules"}  # methods of modules
TENSOR_LISTS = {"split", "chunk"}  # methods of tensors, the first also of texts
# Methods of texts, tensors, storages and modules that give a list in a page.
LISTS_OF_METHODS = {"totable", *TENSOR_LISTS, *MODULE_LISTS}

for _name in MATH:
    FUNCTION_RESULTS[f"math.{_name}"] = "number"

# The codes of a terminal's colours: dark, bright, and behind the text
COLORS = {"none": "\x1b[0m"}
for _place, _name in enumerate("black red green yellow blue magenta cyan white".split(), 30):
    COLORS[_name] = f"\x1b[0;{_place}m"
    COLORS[_name.capitalize()] = f"\x1b[1;{_place}m"
    COLORS[f"_{_name}"] = f"\x1b[{_place + 10}m"
for _name in COLORS:
    for _path in ("trepl.colorize", "trepl.colors", "sys.COLORS"):
        FUNCTION_RESULTS[f"{_path}.{_name}"] = "string"

CRITERION_ENDINGS = ("Criterion",)


def is_criterion(name: str) -> bool:
    """Whether a class of nn or rnn is a criterion."""
    return name.endswith(CRITERION_ENDINGS)


def option_name(flags: str) -> str:
    """The name of an option of a CmdLine: without dashes, and without a short name before it."""
    return flags.split()[-1].lstrip("-")


def writes_image(path: str | None, kinds: Sequence[str | None]) -> bool:
    """Whether a function with arguments of such kinds leaves an image in the first: ``image.hflip(result, x)``."""
    package, _, name = (path or "").partition(".")
    return package == "image" and name in _IMAGES_OF_ANOTHER and list(kinds[:2]) == ["tensor", "tensor"]


# Storages are vectors in pages, but for those of whole numbers, which are sizes.
STORAGES = {f"torch.{kind}Storage": kind for kind in ("Byte", "Char", "Short", "Int", "Float", "Double")}

# Classes of Torch7's that are no tensors, storages or layers.
_OTHER_CLASSES = frozenset(
    "optim.ConfusionMatrix optim.Logger torch.CmdLine torch.DiskFile torch.Generator torch.MemoryFile torch.PipeFile"
    " torch.Timer".split()
)


def is_class(path: str) -> bool:
    """Whether a name of a package's is a class, by whose ``new`` objects are made as by a call of it."""
    owner, _, name = path.rpartition(".")
    is_storage = owner == "torch" and name.endswith("Storage")
    return path in TENSOR_TYPES or path in _OTHER_CLASSES or is_storage or owner in ("nn", "cudnn")
