"""image: beside what the original's C functions gave (tests/golden), Pillow's reading of files, and mathematics."""

from __future__ import annotations

import colorsys
import io
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.packages.image import png16

Image = pytest.importorskip("PIL.Image")
GOLDEN = dict(np.load(Path(__file__).parents[2] / "golden" / "image.npz"))
TYPES = {"f8": "torch.DoubleTensor", "f4": "torch.FloatTensor", "u1": "torch.ByteTensor"}


@pytest.fixture(scope="module")
def lua():
    with Runtime() as runtime:
        runtime.execute("require 'image'")
        yield runtime


@pytest.fixture(scope="module")
def run(lua):
    return lua.execute


def message(run, source: str) -> str:
    with pytest.raises(LuaError) as caught:
        run(source)
    return str(caught.value)


def call_of(name: str) -> str:
    """The call that made a golden result, on the image x (for lab2rgb l, for warp with the field f)."""
    words = name.split()[1:]
    match words:
        case ["scale", mode, height, width]:
            return f"image.scale(x, {width}, {height}, '{mode}')"
        case ["rotate", mode]:
            return f"image.rotate(x, 0.7, '{mode}')"
        case ["translate"]:
            return "image.translate(x, 2, -1)"
        case ["crop"]:
            return "image.crop(x, 2, 1, 5, 5)"
        case ["warp", mode, pad]:
            return (
                f"image.warp(x, f, '{mode}', true, {chr(39)}pad{chr(39)}, 0.25)"
                if pad == "1"
                else (f"image.warp(x, f, '{mode}')")
            )
        case ["gaussian"]:
            return (
                "image.gaussian{tensor = x.new(5, 4), amplitude = 1.5, normalize = true, sigma_horz = 0.3, "
                "sigma_vert = 0.2, mean_vert = 0.4}"
            )
        case ["drawRect"]:
            return "image.drawRect(x, 2, 2, 6, 5, {lineWidth = 2, color = {255, 10, 0}})"
        case ["rgb2y"]:
            return "image.rgb2y(x)[1]"
        case ["lab2rgb"]:
            return "image.lab2rgb(l)"
        case [other]:
            return f"image.{other}(x)"
    raise AssertionError(name)


@pytest.mark.parametrize("name", [n for n in GOLDEN if n.split()[1] not in ("src", "lab", "field")])
def test_as_the_original(lua, run, name):
    kind = name.split()[0]
    for variable, key in (("x", "src"), ("l", "lab"), ("f", "field")):
        if f"{kind} {key}" in GOLDEN:
            lua.globals[variable] = torch.from_numpy(GOLDEN[f"{kind} {key}"])
    made, type_name = run(f"local made = {call_of(name)} return made, made:type()")
    assert type_name == TYPES[kind]
    if "lab" in name or "gaussian" in name:  # powers and exponentials are the system's
        np.testing.assert_allclose(
            made.numpy(), GOLDEN[name], rtol=1e-6 if kind == "f4" else 1e-14, atol=1e-12
        )
    else:
        np.testing.assert_array_equal(made.numpy(), GOLDEN[name])
    assert torch.equal(lua.globals["x"], torch.from_numpy(GOLDEN[f"{kind} src"]))


class TestScale:
    @pytest.mark.parametrize(
        ("arguments", "size"),
        [
            ("x, 4, 6", [3, 6, 4]),
            ("x, 4.9, 6.2", [3, 6, 4]),
            ("x, '5x7'", [3, 7, 5]),
            ("x, 20", [3, 10, 20]),
            ("x, '20'", [3, 10, 20]),
            ("x, '^4', 'simple'", [3, 4, 8]),
            ("x, '*2'", [3, 10, 20]),
            ("x, '*1/5', 'bicubic'", [3, 1, 2]),
            ("x, 0, 0", [3, 1, 1]),
            ("x[1], 4, 6", [6, 4]),
            ("torch.Tensor(3, 2, 2), x", [3, 2, 2]),
        ],
    )
    def test_sizes(self, run, arguments, size):
        got = run(f"local x = torch.rand(3, 5, 10) return image.scale({arguments}):size():totable()")
        assert got == size

    def test_a_ramp_stays_one(self, run):
        script = "return image.scale(torch.range(0, 4):view(1, 5), 9, 1)"
        np.testing.assert_allclose(run(script).numpy(), [np.arange(9) / 2])

    def test_smaller_is_the_mean(self, run):
        got = run("return image.scale(torch.range(1, 16):view(4, 4), 2, 2)")
        assert got.tolist() == [[3.5, 5.5], [11.5, 13.5]]

    def test_into_the_destination(self, run):
        assert run("local d = torch.Tensor(2, 2) return image.scale(d, torch.ones(4, 4)) == d, d:sum()") == (
            True,
            4,
        )

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ("torch.ones(2, 2), 3, 3, 'cubic'", "mode must be one of: simple | bicubic | bilinear"),
            ("torch.ones(2, 2), 'big'", "could not find valid dest size"),
            ("torch.ones(2), 3, 3", "an image of 2 or 3 dimensions expected"),
            ("torch.Tensor(2, 3, 3), torch.ones(3, 3, 3)", "src and dst depths do not match"),
            ("3, 3", "a tensor expected"),
        ],
    )
    def test_errors(self, run, arguments, says):
        text = message(run, f"\nlocal x = image.scale({arguments})")
        assert text.startswith("python:2: ")
        assert says in text


class TestGeometry:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ("x, 1, 1, 3, 2", [[6, 7]]),
            ("x, 'c', 2, 2", [[6, 7], [10, 11]]),
            ("x, 'tl', 2, 1", [[1, 2]]),
            ("x, 'tr', 1, 2", [[4], [8]]),
            ("x, 'bl', 2, 1", [[13, 14]]),
            ("x, 'br', 1, 1", [[16]]),
            ("torch.Tensor(1, 1), x, 'br', 2, 2", [[13.5]]),
            ("torch.Tensor(1, 2), x, 0, 0, 2, 1", [[1, 2]]),
        ],
    )
    def test_crop(self, run, arguments, expected):
        assert (
            run(f"local x = torch.range(1, 16):view(4, 4) return image.crop({arguments})").tolist()
            == expected
        )

    def test_crop_into_a_destination_without_an_end(self, run):
        script = """local x, d = torch.range(1, 16):view(4, 4), torch.Tensor(2, 2)
        return select('#', image.crop(d, x, 2, 2)), d"""
        count, made = run(script)
        assert (count, made.tolist()) == (0, [[11, 12], [15, 16]])

    def test_crop_outside(self, run):
        assert "goes outside bounds" in message(run, "image.crop(torch.ones(4, 4), 2, 2, 5, 5)")
        assert 'must be "c"' in message(run, "image.crop(torch.ones(4, 4), 'x', 2, 2)")

    def test_flips(self, run):
        x = torch.arange(24.0, dtype=torch.float64).view(2, 3, 4)
        for name, dims in (("hflip", 2), ("vflip", 1)):
            for part, at in (("x", x), ("x[1]", x[0])):
                got = run(f"local x = torch.range(0, 23):view(2, 3, 4) return image.{name}({part})")
                assert torch.equal(got, at.flip(dims - (3 - at.dim())))
        assert run("local x = torch.range(1, 3):view(1, 3) image.hflip(x, x) return x").tolist() == [
            [3, 2, 1]
        ]
        for dim in (1, 2, 3):
            got = run(f"return image.flip(torch.range(0, 23):view(2, 3, 4), {dim})")
            assert torch.equal(got, x.flip(dim - 1))
        assert "Bad flip dimension" in message(run, "image.flip(torch.ones(2, 2), 3)")
        assert "not contiguous" in message(run, "image.hflip(torch.ones(2, 3):t())")

    def test_translate_out_of_sight(self, run):
        assert run("return image.translate(torch.ones(3, 3), 3, 0):sum()") == 0

    def test_a_quarter_turn(self, run):
        x = torch.arange(9.0, dtype=torch.float64).view(3, 3)
        assert torch.equal(run("return image.rotate(torch.range(0, 8):view(3, 3), math.pi / 2)"), x.rot90(1))
        assert "in-place" in message(run, "local x = torch.ones(3, 3) image.rotate(x, x, 1)")

    def test_affine(self, run):
        """The identity changes nothing, a shift moves."""
        script = (
            "local x = torch.rand(2, 5, 6) return (image.affinetransform(x, torch.eye(2)) - x):abs():max()"
        )
        assert run(script) < 1e-5  # places are floats
        script = """local x = torch.range(1, 9):view(1, 3, 3)
        return image.affinetransform(x, torch.eye(2), 'simple', torch.Tensor {1, 0}, 'pad', -1)[1]"""
        assert run(script).tolist() == [[-1, -1, -1], [1, 2, 3], [4, 5, 6]]

    def test_warp_of_a_plane_with_absolute_places(self, run):
        script = """local x, f = torch.range(1, 6):view(2, 3), torch.zeros(2, 1, 2)
        f[2][1][1], f[2][1][2] = 0.5, 2
        return image.warp(x, f, 'bilinear', false)"""
        assert run(script).tolist() == [[1.5, 3]]

    def test_convolve(self, run):
        for mode, size in (("valid", [2, 2]), ("full", [6, 6]), ("same", [4, 4])):
            script = f"local x = torch.rand(4, 4) return image.convolve(x, torch.ones(3, 3), '{mode}'), x"
            made, x = run(script)
            assert list(made.shape) == size
            assert made.flatten()[0].item() == pytest.approx(
                {"valid": x[:3, :3], "full": x[:1, :1], "same": x[:2, :2]}[mode].sum().item()
            )
        assert run("return image.convolve(torch.ones(2, 4, 4), torch.ones(3, 3)):sum()") == 72


class TestRanges:
    def test_minmax(self, run):
        assert run("return image.minmax {tensor = torch.Tensor {-1, 0, 3}}").tolist() == [0, 0.25, 1]
        assert run(
            "return image.minmax {tensor = torch.Tensor {-1, 0, 3}, symm = true}"
        ).tolist() == pytest.approx([1 / 3, 0.5, 1])
        got = run("return image.minmax {tensor = torch.Tensor {-1, 1, 5}, min = 0, max = 2, saturate = true}")
        assert got.tolist() == [0, 0.5, 1]
        script = (
            "local x = torch.Tensor {0, 4} return image.minmax {tensor = x, inplace = true} == x, x:sum()"
        )
        assert run(script) == (True, 1)

    def test_a_grid(self, run):
        script = """local x = {} for i = 1, 5 do x[i] = torch.Tensor(1, 2, 2):fill(i) end
        local plain = image.toDisplayTensor(x)
        return image.toDisplayTensor {input = x, padding = 1, nrow = 3}, plain:size():totable()"""
        made, plain = run(script)
        assert plain == [1, 2, 10]
        rows = (
            [[0, 0, 1, 0.25, 0.25, 1, 0.5, 0.5, 1]] * 2
            + [[1] * 9]
            + [[0.75, 0.75, 1, 1, 1, 1, 1, 1, 1]] * 2
            + [[1] * 9]
        )
        assert made.tolist() == [rows]

    def test_grids_of_other_shapes(self, run):
        for sizes, grid in (
            ("5, 2, 3", [2, 15]),
            ("3, 4, 5", [3, 4, 5]),
            ("4, 5", [4, 5]),
            ("7, 3, 2, 2", [3, 4, 12]),
        ):
            assert run(f"return image.toDisplayTensor(torch.rand({sizes})):size():totable()") == grid
        assert "packed must be" in message(run, "image.toDisplayTensor(torch.rand(2, 2, 2, 2))")


class TestColors:
    @pytest.mark.parametrize(("name", "python"), [("hsv", colorsys.rgb_to_hsv), ("hsl", None)])
    def test_beside_python(self, run, name, python):
        made, x = run(f"local x = torch.rand(3, 4, 5) return image.rgb2{name}(x), x")
        for i in range(4):
            for j in range(5):
                rgb = x[:, i, j].tolist()
                h, light, s = colorsys.rgb_to_hls(*rgb)
                expected = python(*rgb) if python else (h, s, light)
                assert made[:, i, j].tolist() == pytest.approx(expected)

    @pytest.mark.parametrize("name", ["hsl", "hsv", "lab", "yuv"])
    def test_there_and_back(self, run, name):
        script = (
            f"local x = torch.rand(3, 4, 5) return (image.{name}2rgb(image.rgb2{name}(x)) - x):abs():max()"
        )
        assert run(script) < (1e-4 if name in ("yuv", "lab") else 1e-12)

    def test_destinations(self, run):
        script = """local x, d = torch.rand(3, 2, 2), torch.Tensor()
        return image.rgb2yuv(d, x) == d, d[1][1][1] - image.rgb2y(x)[1][1][1], image.rgb2nrgb(x):sum(1):mean()"""
        same, difference, total = run(script)
        assert same
        assert abs(difference) < 1e-15
        assert total == pytest.approx(1, abs=1e-5)

    def test_maps(self, run):
        assert run("return image.jetColormap(4)").tolist() == [
            [0, 0.5, 1],
            [0.5, 1, 0.5],
            [1, 0.5, 0],
            [0.5, 0, 0],
        ]
        got = run("return image.colormap(3)")
        assert got[0].tolist() == pytest.approx(colorsys.hls_to_rgb(0, 0.5, 0.3))
        assert got[1].tolist() == pytest.approx(colorsys.hls_to_rgb(39 / 360, 0.5, 0.3 + 1 / 9))
        assert got[2].tolist() == pytest.approx(colorsys.hls_to_rgb(78 / 360, 0.5, 0.3 + 2 / 9))
        made = run("return image.y2jet(torch.Tensor {{1, 2}, {3, 4}})")
        assert made[:, 1, 0].tolist() == [1, 0.5, 0]
        assert "counted from 1" in message(run, "image.y2jet(torch.zeros(2, 2))")

    def test_errors(self, run):
        assert "not supported for torch.ByteTensor" in message(
            run, "image.rgb2lab(torch.ByteTensor(3, 2, 2):zero())"
        )
        assert "an image of 3 planes expected" in message(run, "image.rgb2hsv(torch.ones(2, 2))")


class TestKernels:
    def test_gaussian(self, run):
        i = (np.arange(1, 6) - 3) / (0.25 * 5)
        expected = np.exp(-0.5 * (i[:, None] ** 2 + i[None] ** 2))
        np.testing.assert_allclose(run("return image.gaussian(5)").numpy(), expected, rtol=1e-14)
        one = np.exp(-0.5 * i**2)
        np.testing.assert_allclose(run("return image.gaussian1D(5)").numpy(), one, rtol=1e-14)
        assert run("return image.gaussian1D{size = 7, normalize = true}:sum()") == pytest.approx(1)
        assert run("return image.gaussian{width = 3, height = 2}:size():totable()") == [2, 3]
        assert run("return image.gaussian{size = 9, normalize = true}:sum()") == pytest.approx(1)

    def test_laplacian(self, run):
        i = (np.arange(1, 6) - 3) / (0.1 * 5)
        square = (i[:, None] ** 2 + i[None] ** 2) / 2
        np.testing.assert_allclose(
            run("return image.laplacian(5)").numpy(), (1 - square) * np.exp(-square), rtol=1e-12
        )

    def test_a_pyramid(self, run):
        script = """local p = image.gaussianpyramid(torch.rand(3, 8, 8), {1, 0.5, 0.25})
        return p[1]:size(2), p[2]:size(3), p[3]:size(2), #p"""
        assert run(script) == (8, 4, 2, 3)

    def test_local_contrast(self, run):
        assert run("return image.lcn(torch.rand(12, 13)):size():totable()") == [4, 5]

    def test_morphology(self, run):
        script = """local x = torch.zeros(5, 5) x:narrow(1, 2, 3):narrow(2, 2, 3):fill(1)
        return image.erode(x):sum(), image.dilate(x):sum(), image.erode(x)[3][3], image.dilate(x, nil, 1):sum()"""
        assert run(script) == (1, 25, 1, 25)


def picture(mode: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)


class TestFiles:
    @pytest.mark.parametrize(("mode", "planes"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
    def test_png(self, run, tmp_path, mode, planes):
        values = picture(mode, (5, 4, planes))
        path = tmp_path / "x.png"
        Image.fromarray(values.squeeze() if planes == 1 else values, mode).save(path)
        made = run(f"return image.load('{path}', nil, 'byte')")
        assert np.array_equal(made.numpy(), values.transpose(2, 0, 1))
        for kind, dtype in (("", torch.float64), (", nil, 'float'", torch.float32)):
            made = run(f"return image.load('{path}'{kind})")
            assert made.dtype == dtype
            torch.testing.assert_close(
                made, torch.from_numpy(values.transpose(2, 0, 1).copy()).to(dtype) / 255
            )
        assert run(f"return image.getSize('{path}'):totable()") == [planes, 5, 4]

    def test_depth(self, run, tmp_path):
        path = tmp_path / "x.png"
        Image.fromarray(picture("RGB", (5, 4, 3))).save(path)
        script = f"""local y, c = image.load('{path}', 1), image.load('{path}', 3)
        return y:size():totable(), c:size():totable(), (y - image.rgb2y(c)[1]):abs():max()"""
        assert run(script) == ([5, 4], [3, 5, 4], 0)
        Image.fromarray(picture("L", (5, 4))).save(path)
        script = f"""local g = image.load('{path}', 3)
        return g:size():totable(), (g[1] - g[3]):abs():max(), image.load('{path}', 1):dim()"""
        assert run(script) == ([3, 5, 4], 0, 3)

    def test_png_of_other_bits(self, run, tmp_path):
        grey = np.array([[0, 256, 65535]], dtype=np.uint16)
        Image.fromarray(grey).save(tmp_path / "g.png")
        made = run(f"return image.load('{tmp_path}/g.png')")
        np.testing.assert_allclose(made.numpy()[0], grey / 65535)
        assert run(f"return image.load('{tmp_path}/g.png', 1, 'byte')").tolist() == [[[0, 1, 255]]]
        Image.fromarray(np.array([[0, 1]], dtype=np.uint8) * 255).convert("1").save(tmp_path / "b.png")
        assert run(f"return image.load('{tmp_path}/b.png')").tolist() == [[[0, 1]]]
        Image.fromarray(picture("RGB", (2, 2, 3))).convert("P").save(tmp_path / "p.png")
        assert run(f"return image.load('{tmp_path}/p.png'):size(1)") == 3

    def test_saving_cuts_off(self, run, tmp_path):
        """Shares of 1 times 255, without rounding, as the original's C casts did."""
        run(f"image.save('{tmp_path}/x.png', torch.Tensor {{{{-1, 0.5, 0.999, 2}}}})")
        with Image.open(tmp_path / "x.png") as opened:
            assert np.asarray(opened).tolist() == [[0, 127, 254, 255]]

    @pytest.mark.parametrize("kind", ["png", "jpg", "ppm", "JPEG"])
    def test_what_is_saved_is_read(self, run, tmp_path, kind):
        path = tmp_path / f"x.{kind}"
        script = f"""local x = torch.repeatTensor(image.scale(torch.rand(4, 4), 16, 16), 3, 1, 1)
        image.save('{path}', x)
        return (image.load('{path}', 3) - x):abs():max()"""
        assert run(script) < (0.1 if kind in ("jpg", "JPEG") else 1 / 255)
        with Image.open(path) as opened:
            assert opened.size == (16, 16)

    def test_jpeg_is_pillows(self, run, tmp_path):
        out = io.BytesIO()
        values = picture("RGB", (16, 16, 3))
        Image.fromarray(values).save(out, "JPEG", quality=75)
        (tmp_path / "x.jpg").write_bytes(out.getvalue())
        made = run(f"return image.load('{tmp_path}/x.jpg', 3, 'byte')")
        assert np.array_equal(made.numpy(), np.asarray(Image.open(out)).transpose(2, 0, 1))

    def test_grey_files(self, run, tmp_path):
        script = f"""local x = torch.range(0, 5):div(255):view(2, 3) image.save('{tmp_path}/x.pgm', x)
        return image.load('{tmp_path}/x.pgm', 1, 'byte')"""
        assert run(script).tolist() == [[[0, 1, 2], [3, 4, 5]]]
        assert (tmp_path / "x.pgm").read_bytes() == b"P5\n3 2\n255\n" + bytes(range(6))

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"P2 # a comment\n2 1\n15\n0 15\n", [[[0, 255]]]),
            (b"P3\n1 1 255\n1 2 3", [[[1]], [[2]], [[3]]]),
            (b"P6\n1 1 255\n\x01\x02\x03", [[[1]], [[2]], [[3]]]),
            (b"P5\n2 1\n100\n\x01\x64", [[[1, 100]]]),
        ],
    )
    def test_netpbm(self, run, tmp_path, content, expected):
        (tmp_path / "x").write_bytes(content)
        assert run(f"return image.load('{tmp_path}/x', nil, 'byte')").tolist() == expected
        assert run(f"return image.getSize('{tmp_path}/x')[1]") == len(expected)

    def test_bytes_of_files(self, run):
        script = """local x = torch.ByteTensor(3, 8, 8):fill(100)
        local png, jpg = image.compressPNG(x), image.compressJPG(x, 90)
        local a, b = image.decompress(png, 3, 'byte'), image.decompress(jpg, 3, 'byte')
        return (a:double() - 100):abs():max(), (b:double() - 100):abs():max(), png:type(),
               image.decompressPNG(png):size(1)"""
        exact, near, kind, planes = run(script)
        assert (exact, kind, planes) == (0, "torch.ByteTensor", 3)
        assert near <= 2

    def test_photographs_are_files_of_the_users(self, run, tmp_path, monkeypatch):
        run(f"image.savePPM('{tmp_path}/a.ppm', torch.ones(3, 4, 5):mul(0.2))")
        monkeypatch.setenv("IMAGE_LENA", f"{tmp_path}/a.ppm")
        assert run("local x = image.lena() return x:size(1) * 100 + x:size(2) * 10 + x:size(3)") == 345
        assert run("local x = image.lena() return x:type() .. x[1][1][1]") == "torch.DoubleTensor0.2"
        monkeypatch.setenv("IMAGE_FABIO", f"{tmp_path}/a.ppm")
        assert run("local x = image.fabio() return x:dim() * 100 + x:size(1) * 10 + x:size(2)") == 245

    def test_colours_of_16_bits(self, run, tmp_path):
        values = np.array([[[0, 65535, 256]], [[1, 2, 511]], [[32767, 3, 65280]]], dtype=np.int32)
        (tmp_path / "a.png").write_bytes(png16.encode(values, 0.0, None))
        shares, whole = run(
            f"return image.load('{tmp_path}/a.png'), image.load('{tmp_path}/a.png', 3, 'byte')"
        )
        torch.testing.assert_close(shares, torch.from_numpy(values / 65535), rtol=1e-12, atol=0)
        assert whole.tolist() == (values >> 8).tolist()
        (tmp_path / "b.pbm").write_bytes(b"P4\n1 1\n\0")
        with pytest.raises(LuaError, match="unsupported magic number P4"):
            run(f"image.loadPPM('{tmp_path}/b.pbm')")

    @pytest.mark.parametrize(
        ("source", "says"),
        [
            ("image.load('/no/such.png')", "No such file or directory"),
            ("image.load()", "missing file name"),
            ("image.save('x.bmp', torch.ones(2, 2))", "unknown image type: bmp"),
            ("image.save('x.png', torch.ones(2, 3, 3))", "takes an image of 1, 3 or 4 planes"),
            ("image.savePPM('x.ppm', torch.ones(3, 3))", "can only save 3xHxW"),
            ("image.decompress(torch.ByteTensor(9):zero())", "Input must be either jpg or png"),
            ("image.decompress(torch.ones(9))", "must be a byte tensor"),
            ("image.loadPNG('x.png', 3, 'int')", "the type must be byte, float or double"),
            ("image.compressJPG(torch.ones(3, 3), 101)", "quality should be between 0 and 100"),
            ("image.lena()", "the photograph is not part of this project"),
            ("image.display(1)", "image.display: an image or a list of images expected, not a number"),
            ("image.drawText(torch.ones(3, 2, 2), 'x')", "the font is not part"),
        ],
    )
    def test_errors(self, run, source, says):
        text = message(run, f"\nlocal x = {source}")
        assert text.startswith("python:2: ")
        assert says in text

    def test_damaged_files(self, run, tmp_path):
        Image.fromarray(picture("L", (50, 50))).save(tmp_path / "x.png")
        (tmp_path / "y.png").write_bytes((tmp_path / "x.png").read_bytes()[:600])
        (tmp_path / "z.ppm").write_bytes(b"P6\n9 9\n255\nabc")
        (tmp_path / "w.pbm").write_bytes(b"P4\n9 9\nabc")
        assert "is damaged" in message(run, f"image.load('{tmp_path}/y.png')")
        assert "corrupted file or read error" in message(run, f"image.load('{tmp_path}/z.ppm')")
        assert "unknown image type: pbm" in message(run, f"image.load('{tmp_path}/w.pbm')")


def test_windows_are_not_there(capfd):
    with Runtime() as runtime:
        assert runtime.execute("""
            require 'image'
            local first = image.display(torch.rand(3, 4, 4))
            local w = image.window(function() end)
            assert(image.display {image = {torch.rand(2, 2)}, win = w, zoom = 2} == w)
            w.painter:rectangle(1, 2, 3, 4)
            first.window:close()
            return sys.filep('/') == false and sys.dirp('/')
        """)
    assert capfd.readouterr().err.count("nothing is shown") == 1
