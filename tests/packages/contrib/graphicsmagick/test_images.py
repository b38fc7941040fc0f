"""graphicsmagick's images beside tensors, Pillow, and the formulas of the library's description."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.packages.contrib.graphicsmagick import effects
from torch7py.packages.contrib.graphicsmagick.scaling import FILTERS, resize
from torch7py.packages.image import png16

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def lua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    head = "local gm = require 'graphicsmagick' require 'torch'\n"
    return lambda text: Runtime().execute(head + text)


def noise(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(5).integers(0, 65536, shape, dtype=np.int32)).clone()


def test_tensors_there_and_back(lua: Any) -> None:
    lua("""
        torch.manualSeed(4)
        for _, case in ipairs{{'RGB', 3}, {'BGR', 3}, {'RGBA', 4}, {'ABGR', 4}, {'I', 1}, {'CMYK', 4}} do
            local letters, depth = unpack(case)
            for _, kind in ipairs{'byte', 'float', 'double'} do
                local t = torch.IntTensor(depth, 3, 5):random(0, 255)
                if kind == 'byte' then t = t:byte() else t = t:double():div(255):type('torch.' ..
                    kind:sub(1, 1):upper() .. kind:sub(2) .. 'Tensor') end
                local image = gm.Image(t, letters, 'DHW')
                assert((image:toTensor(kind, letters, 'DHW'):double() - t:double()):abs():max() < 1e-6)
                local last = t:permute(2, 3, 1)      -- height, width, depth, and not contiguous
                local other = gm.Image(last, letters):toTensor(kind, letters)
                assert(other:size(3) == depth and (other:double() - last:double()):abs():max() < 1e-6)
            end
        end
        local image = gm.Image(torch.ByteTensor(2, 3, 4):fill(7))      -- height, width, planes by their number
        assert(image:toTensor('byte', 'RGBA', 'DHW'):eq(7):all())
        assert(gm:Image():fromTensor(torch.FloatTensor(1, 2, 2):fill(3), nil, 'DHW'):toTensor('float'):max() == 1)
    """)


def test_png_with_16_bits(lua: Any) -> None:
    pixels = noise(3, 4, 6)
    Path("x.png").write_bytes(png16.encode(pixels.numpy(), 0.0, None))
    read = lua("return gm.Image('x.png'):toTensor('double', 'RGB', 'DHW')")
    assert torch.equal(read, pixels.double() / 65535)
    assert lua("local i = gm.Image('x.png') return i:depth()") == 16
    lua("""
        local image = gm.Image('x.png')
        image:save('y.png')
        local same = gm.Image('y.png')
        assert((same:toTensor('double') - image:toTensor('double')):abs():max() == 0)
        image:depth(8):save('z.png')
        assert(gm.Image('z.png'):depth() == 8)
    """)
    assert np.array_equal(np.asarray(Image.open("z.png")).transpose(2, 0, 1), (pixels.numpy() + 128) // 257)
    lua("gm.save('b.png', torch.DoubleTensor(3, 2, 2):fill(100 / 255))")  # fits into bytes
    assert Path("b.png").read_bytes()[24] == 8


def test_the_filters_of_png(tmp_path: Path) -> None:
    """A file with all five filters in turn, filtered byte by byte as PNG's specification says."""
    height, width, planes = 10, 7, 3
    values = np.random.default_rng(2).integers(0, 65536, (height, width * planes)).astype(">u2")
    lines, place = values.view(np.uint8).astype(int).tolist(), 2 * planes
    raw = bytearray()
    for y, line in enumerate(lines):
        raw.append(y % 5)
        for x, byte in enumerate(line):
            a = line[x - place] if x >= place else 0
            b = lines[y - 1][x] if y else 0
            c = lines[y - 1][x - place] if y and x >= place else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            raw.append((byte - (0, a, b, (a + b) // 2, nearest)[y % 5]) % 256)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    packed = zlib.compress(bytes(raw))
    data = png16.SIGNATURE + chunk(b"IHDR", head)
    data += chunk(b"IDAT", packed[:9]) + chunk(b"IDAT", packed[9:]) + chunk(b"IEND", b"")
    read = png16.decode(data)
    assert np.array_equal(read, values.reshape(height, width, planes).transpose(2, 0, 1))


def test_printing_colours(lua: Any) -> None:
    inks = np.random.default_rng(1).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    Image.frombytes("CMYK", (8, 8), inks.tobytes()).save("a.tif")
    assert lua("local i = gm.Image('a.tif') return i:colorspace(), i:type()") == ("CMYK", "ColorSeparation")
    assert np.array_equal(lua("return gm.Image('a.tif'):toTensor('byte', 'CMYK')").numpy(), inks)
    rgb = lua("return gm.Image('a.tif'):colorspace('RGB'):toTensor('double')").numpy()
    share = inks / 255
    assert np.allclose(rgb, (1 - share[:, :, :3]) * (1 - share[:, :, 3:]), atol=1e-5)
    lua("""
        local i = gm.Image('a.tif'):colorspace('RGB')
        local there = i:toTensor('double')
        assert((i:colorspace('CMYK'):colorspace('RGB'):toTensor('double') - there):abs():max() < 1e-4)
    """)


def test_hue_and_brightness(lua: Any) -> None:
    """Beside Python's own formulas for hue; red has the hue 1 here, and grey 0."""
    import colorsys

    lua("""
        local t = torch.DoubleTensor(3, 6, 6):uniform(0.15, 0.85)
        t[{{}, 1, 1}]:fill(0.25)
        t[{{}, 1, 2}]:copy(torch.Tensor{0.75, 0.25, 0.25})
        planes = {rgb = t}
        for _, space in ipairs{'HSL', 'HWB', 'YUV'} do
            local image = gm.Image(t, 'RGB', 'DHW')
            planes[space] = image:toTensor('double', space, 'DHW')
            assert(image:colorspace() == space)
            local back = image:clone():colorspace('RGB'):toTensor('double', 'RGB', 'DHW')
            assert((back - t):abs():max() < 2e-4, space)
            image:save(space .. '.png')      -- files hold red, green and blue
            assert((gm.load(space .. '.png', 'double') - t):abs():max() < 2e-4)
        end
        for space, values in pairs(planes) do torch.save(space .. '.t7', values) end
    """)
    import torch7py

    rgb, hsl, hwb, yuv = (
        torch7py.load(f"{name}.t7").flatten(1).t().tolist() for name in ("rgb", "HSL", "HWB", "YUV")
    )
    for i, (r, g, b) in enumerate(rgb):
        h, light, s = colorsys.rgb_to_hls(r, g, b)
        h = 1.0 if i == 1 else h
        assert hsl[i] == pytest.approx([h, s, light], abs=3e-4)
        assert hwb[i] == pytest.approx([h, min(r, g, b), 1 - max(r, g, b)], abs=3e-4)
        y = 0.299 * r + 0.587 * g + 0.114 * b
        assert yuv[i] == pytest.approx(
            [y, 0.493 * (b - y) + 0.5, min(max(0.877 * (r - y) + 0.5, 0), 1)], abs=1e-3
        )


def test_blobs_and_strings(lua: Any) -> None:
    lua("""
        local t = torch.ByteTensor(3, 16, 16):random(0, 255)
        local image = gm.Image(t, 'RGB', 'DHW'):format('png')
        local blob, size = image:toBlob()
        local back = gm.Image():fromBlob(blob, size)
        assert(back:toTensor('byte', 'RGB', 'DHW'):equal(t) and back:format() == 'PNG' and back.path == '<blob>')
        assert(gm.Image():fromString(image:toString()):toTensor('byte', 'RGB', 'DHW'):equal(t))
        local bytes = image:toString()
        assert(back:fromBlob(bytes, #bytes):toTensor('byte', 'RGB', 'DHW'):equal(t))
        for name, factors in pairs{full = {1, 1, 1}, half = {2.0, 1.0, 1.0}} do
            local x = gm.Image(t, 'RGB', 'DHW'):format('jpeg'):depth(8):samplingFactors(factors)
            local file = io.open(name .. '.jpg', 'wb')
            file:write(x:toString(70))
            file:close()
            assert(#x:samplingFactors() == 3)
        end
    """)
    from PIL.JpegImagePlugin import get_sampling

    for name, number in (("full", 0), ("half", 2)):
        with Image.open(f"{name}.jpg") as file:
            assert get_sampling(file) == number


def test_gamma_and_profiles_of_files(lua: Any) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Path("p.icc").write_bytes(profile)
    lua("""
        local profile = io.open('p.icc', 'rb'):read('*a')
        local t = torch.FloatTensor(3, 4, 4):uniform()
        local plain = gm.Image(t, 'RGB', 'DHW')
        assert(plain:gamma() == 0 and plain:profile('icm') == nil)
        for _, bits in ipairs{8, 16} do
            gm.Image(t, 'RGB', 'DHW'):depth(bits):gamma(1 / 1.8):profile('ICC', profile):save('a.png')
            local image = gm.Image('a.png')
            assert(math.abs(image:gamma() - 1 / 1.8) < 1e-5)
            assert(image:profile('icm') == profile)
            local before = image:toTensor('byte')
            assert(image:profile('icm', profile):toTensor('byte'):equal(before))      -- the same: nothing changes
            assert(image:removeProfile():profile('icm') == nil)
        end
        plain:format('JPEG'):profile('icm', profile):save('a.jpg')
        assert(gm.Image('a.jpg'):profile('icc') == profile)
    """)


def test_words_of_the_press(lua: Any) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    words = b"8BIM\x04\x04\0\0\0\0\0\x06\x1c\x02\x78\0\x01x"
    part = b"Photoshop 3.0\0" + words
    data = out.getvalue()
    Path("a.jpg").write_bytes(data[:2] + b"\xff\xed" + struct.pack(">H", len(part) + 2) + part + data[2:])
    assert lua("return gm.Image('a.jpg'):profile('iptc')").encode("latin1") == words
    assert lua("return gm.Image('a.jpg'):profile('other')") is None


def test_another_profile_converts(lua: Any) -> None:
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    Path("from.icc").write_bytes(srgb.tobytes())
    swapped = bytearray(
        srgb.tobytes()
    )  # the same with the places of red and green in the list of tags changed
    red, green = swapped.index(b"rXYZ"), swapped.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    swapped[84:100] = bytes(16)
    Path("to.icc").write_bytes(swapped)
    values = np.random.default_rng(3).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(values).save("a.png")
    got = lua("""
        local function bytes(name) return io.open(name, 'rb'):read('*a') end
        local image = gm.Image('a.png'):profile('icm', bytes('from.icc')):profile('icm', bytes('to.icc'))
        assert(image:profile('icm') == bytes('to.icc'))
        return image:toTensor('byte')
    """).numpy()
    assert np.abs(got.astype(int) - values[:, :, [1, 0, 2]].astype(int)).max() <= 2


def test_types(lua: Any) -> None:
    lua("""
        local colours = torch.FloatTensor(3, 20, 20):uniform()
        local function kind(t, letters) return gm.Image(t, letters, 'DHW'):type() end
        assert(kind(colours, 'RGB') == 'TrueColor')
        assert(kind(colours[1]:view(1, 20, 20), 'I') == 'Grayscale')
        assert(kind(torch.FloatTensor(1, 2, 2):fill(1), 'I') == 'Bilevel')
        assert(kind(colours:narrow(2, 1, 5), 'RGB') == 'Palette')
        local four = torch.cat(colours, torch.FloatTensor(1, 20, 20):fill(0.5), 1)
        assert(kind(four, 'RGBA') == 'TrueColorMatte')
        local grey = gm.Image(four, 'RGBA', 'DHW'):type('GrayscaleMatte')
        assert(grey:type() == 'GrayscaleMatte')
        local planes = grey:format('PNG'):toTensor('float', 'RGBA', 'DHW')
        local expected = colours[1] * 306 + colours[2] * 601 + colours[3] * 117
        assert((planes[1] - expected / 1024):abs():max() < 1e-4 and planes[1]:equal(planes[3]))
        grey:save('g.png')
        assert(gm.Image('g.png'):type() == 'GrayscaleMatte')
        assert(gm.Image(colours, 'RGB', 'DHW'):type('TrueColorMatte'):toTensor('float', 'A'):min() == 1)
        assert(gm.Image(four, 'RGBA', 'DHW'):type('TrueColor'):type() == 'TrueColor')
    """)
    assert png16.has_16_bits(Path("g.png").read_bytes())


@pytest.mark.parametrize("name", FILTERS)
def test_filters_keep_an_even_image(name: str) -> None:
    even = torch.full((3, 9, 7), 12345, dtype=torch.int32)
    for width, height in ((3, 4), (20, 31), (7, 4)):
        assert torch.equal(resize(even, width, height, name), torch.full((3, height, width), 12345))


def test_boxes_points_and_triangles() -> None:
    pixels = noise(3, 6, 8)
    halved = torch.nn.functional.avg_pool2d(pixels.double(), 2)
    assert (resize(pixels, 4, 3, "Box") - halved).abs().max() <= 1  # each direction is rounded
    doubled = pixels.repeat_interleave(2, 1).repeat_interleave(2, 2)
    assert torch.equal(resize(pixels, 16, 12, "Box"), doubled)
    assert torch.equal(resize(pixels, 16, 12, "Point"), doubled)
    linear = torch.nn.functional.interpolate(pixels.double()[None], (12, 16), mode="bilinear")[0]
    assert (resize(pixels, 16, 12, "Triangle") - linear).abs().max() <= 1


def test_blur_makes_a_filter_wider() -> None:
    """A triangle of twice the width takes 1/4, 2/4, 1/4 of three places."""
    step = torch.tensor([0, 0, 0, 40000, 0, 0, 0], dtype=torch.int32)[None, None].repeat(3, 1, 1)
    assert resize(step, 7, 1, "Triangle", 2.0)[0, 0].tolist() == [0, 0, 10000, 20000, 10000, 0, 0]
    assert torch.equal(resize(step, 7, 1, "Triangle", 1.0), step)


def test_cubic_curves() -> None:
    """Catrom goes through its points and keeps straight lines; the B-spline smooths by 1/6, 4/6, 1/6."""
    line = (torch.arange(12, dtype=torch.int32) * 1000)[None, None].repeat(3, 1, 1)
    grown = resize(line, 36, 1, "Catrom")[0, 0]
    assert torch.equal(grown[1::3], line[0, 0])
    assert (grown[6:30] - (torch.arange(6, 30) - 1) * 1000 / 3).abs().max() <= 1
    step = torch.tensor([0, 0, 0, 60000, 0, 0, 0], dtype=torch.int32)[None, None].repeat(3, 1, 1)
    assert resize(step, 21, 1, "Cubic")[0, 0][1::3].tolist() == [0, 0, 10000, 40000, 10000, 0, 0]


def test_transparent_places_count_less() -> None:
    pixels = torch.tensor([[[60000, 1]], [[0, 0]], [[0, 0]], [[65535, 0]]], dtype=torch.int32)
    assert resize(pixels, 1, 1, "Box").flatten().tolist() == [60000, 0, 0, 32768]


def gaussian(width: int, sigma: float) -> np.ndarray[Any, Any]:
    places = np.arange(width) - width // 2
    return np.exp(-(places[:, None] ** 2 + places[None, :] ** 2) / (2 * sigma**2))


def test_a_point_shows_the_kernels() -> None:
    point = torch.zeros(3, 15, 15, dtype=torch.int32)
    point[:, 7, 7] = 20000
    bell = gaussian(7, 1.2)
    masked = effects.unsharp_mask(point + 30000, 3, 1.2, 0.5, 0.0)[0, 4:11, 4:11].numpy()
    blurred = 30000 + 20000 * bell / bell.sum()
    original = point[0, 4:11, 4:11].numpy() + 30000
    assert np.abs(masked - (original + 0.5 * (original - blurred))).max() <= 1
    assert torch.equal(
        effects.unsharp_mask(point + 30000, 3, 1.2, 0.5, 2.0), point + 30000
    )  # below the threshold
    sharp = effects.sharpen(point + 30000, 1, 0.8)[1, 6:9, 6:9].numpy()
    kernel = gaussian(3, 0.8)
    kernel[1, 1] = -2 * kernel.sum()
    assert np.abs(sharp - (30000 + 20000 * kernel / kernel.sum()).clip(0, 65535)).max() <= 1
    soft = effects.blur(point, 2, 1.0)[2, 5:10, 5:10].double()
    assert abs(soft.sum() - 20000) < 20
    assert torch.equal(soft, soft.t())
    assert torch.equal(soft, soft.flip(0))
    assert soft[2, 2] == soft.max()


def test_even_images_stay_even_under_kernels() -> None:
    even = torch.full((3, 40, 40), 54321, dtype=torch.int32)
    assert torch.equal(effects.unsharp_mask(even, 0, 1.5, 0.9, 0.0), even)
    assert torch.equal(effects.sharpen(even, 0, 1.0), even)
    assert (effects.blur(even, 0, 2.0) - even).abs().max() <= 1


def test_gamma_correction(lua: Any) -> None:
    lua("""
        local t = torch.DoubleTensor(3, 5, 5):uniform()
        local image = gm.Image(t, 'RGB', 'DHW')
        local all = image:clone():gammaCorrection(2.2):toTensor('double', 'RGB', 'DHW')
        assert((all - torch.pow(t, 1 / 2.2)):abs():max() < 1e-3)
        assert(image:clone():gammaCorrection(2.2, 'All'):toTensor('double', 'RGB', 'DHW'):equal(all))
        local red = image:clone():gammaCorrection(2.2, 'Red'):toTensor('double', 'RGB', 'DHW')
        local before = image:toTensor('double', 'RGB', 'DHW')
        assert(red[1]:equal(all[1]) and red[2]:equal(before[2]) and red[3]:equal(before[3]))
    """)


def test_turns_borders_and_layers(lua: Any) -> None:
    lua("""
        local t = torch.ByteTensor{{{1, 2, 3}, {4, 5, 6}}}
        local function image() return gm.Image(t, 'I', 'DHW') end
        local function is(i, rows) assert(i:toTensor('byte', 'I', 'DHW')[1]:equal(torch.ByteTensor(rows))) end
        is(image():rotate(90), {{4, 1}, {5, 2}, {6, 3}})
        is(image():rotate(180), {{6, 5, 4}, {3, 2, 1}})
        is(image():rotate(-90), {{3, 6}, {2, 5}, {1, 4}})
        is(image():rotate(360), {{1, 2, 3}, {4, 5, 6}})
        is(image():negate(), {{254, 253, 252}, {251, 250, 249}})
        is(image():addBorder(1, 2, 1, 1, 1), {{255, 255, 255, 255, 255}, {255, 255, 255, 255, 255},
            {255, 1, 2, 3, 255}, {255, 4, 5, 6, 255}, {255, 255, 255, 255, 255}, {255, 255, 255, 255, 255}})
        local small = gm.Image(torch.ByteTensor{{{9, 8}, {7, 6}}}, 'I', 'DHW')
        is(image():compose(small, 'Copy', 1, -1), {{1, 7, 6}, {4, 5, 6}})
        is(image():compose(small, 'Copy', 2, 1), {{1, 2, 3}, {4, 5, 9}})
        is(image():compose(small, 'Copy', 5, 5), {{1, 2, 3}, {4, 5, 6}})
        local glass = torch.DoubleTensor(4, 1, 1):fill(0.5)
        local flat = gm.Image(glass, 'RGBA', 'DHW'):setBackground(1, 0, 0):flatten():toTensor('double', 'RGB')
        assert((flat - torch.DoubleTensor{{{0.75, 0.25, 0.25}}}):abs():max() < 1e-4)
        local first = image()
        local copy = first:clone():flop()
        is(first, {{1, 2, 3}, {4, 5, 6}})
        is(copy, {{3, 2, 1}, {6, 5, 4}})
    """)


def test_functions_of_the_module(lua: Any) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2014:05:06 07:08:09"
    place = exif.get_ifd(0x8825)
    place |= {1: "S", 2: (12.0, 30.0, 0.0), 3: "W", 4: (80.0, 15.0, 36.0)}
    values = np.full((10, 20, 3), 90, dtype=np.uint8)
    Image.fromarray(values).save("a.jpg", exif=exif)
    lua("""
        for _, name in ipairs{'Image', 'convert', 'info'} do
            assert(require('graphicsmagick.' .. name) == gm[name], name)
        end
        assert(require 'graphicsmagick.exif' == gm.parseExif)
        local t = gm.load('a.jpg', 'byte')
        assert(t:size(1) == 3 and t:size(2) == 10 and t:size(3) == 20 and t[1][5][5] == 90)
        gm.save('grey.png', torch.FloatTensor(4, 6):fill(0.2))
        assert(torch.abs(gm.load('grey.png'):add(-0.2)):max() < 1e-6)
        local info = gm.info('a.jpg')
        assert(info.width == 20 and info.height == 10 and info.format == 'JPEG')
        assert(info.date == '2014:05:06 07:08:09' and info.exif.GPSLatitude == '12/1, 30/1, 0/1')
        assert(info.location.longitude == 'W80.26' and info.location.latitude == 'S12.5')
        assert(info.moreinfo('%m %wx%h') == 'JPEG 20x10')
        assert(gm.info('a.jpg', true).exif == nil and gm.info('a.jpg', false, {Make = 'x'}).exif.Make == 'x')
        assert(gm.info('nothing.jpg').error == 'not an image')
        local _, location = gm.parseExif{GPSLongitude = '-8.5', GPSLatitude = '4.25'}
        assert(location.longitude == 'W8.5' and location.latitude == 'N4.25')
        gm.convert{input = 'a.jpg', output = 'b.png', size = '8x8', rotate = 90}
        assert(gm.info('b.png').width == 4 and gm.info('b.png').height == 8)
        gm.convert{input = 'a.jpg', output = 'c.png', size = '8x8!'}
        assert(gm.info('c.png').width == 8 and gm.info('c.png').height == 8)
    """)


def test_refusals(lua: Any) -> None:
    out = io.BytesIO()
    Image.fromarray(np.asarray(noise(40, 40)).astype(np.uint8)).save(out, "JPEG")
    Path("cut.jpg").write_bytes(out.getvalue()[:300])
    deep = png16.encode(noise(3, 8, 8).numpy(), 0.0, None)
    Path("cut.png").write_bytes(deep[:-60])
    Path("bit.png").write_bytes(deep[:80] + bytes([deep[80] ^ 1]) + deep[81:])
    huge = bytearray(deep)
    huge[16:24] = struct.pack(">II", 60000, 60000)
    huge[29:33] = struct.pack(">I", zlib.crc32(bytes(huge[12:29])))
    Path("huge.png").write_bytes(bytes(huge))
    made = "local i = gm.Image(torch.ByteTensor(4, 4, 3):zero()) "
    for text, message in (
        ("gm.Image('cut.jpg')", "no readable image"),
        ("gm.Image('cut.png')", "damaged|no readable"),
        ("gm.Image('bit.png')", "damaged|no readable"),
        ("gm.Image('huge.png')", "is refused: .*decompression bomb"),
        ("gm.Image():fromString('no image')", "the blob is no readable image"),
        ("gm.Image():fromBlob({}, 3)", "a blob expected, not a table"),
        ("gm.Image():size()", "the image is empty"),
        ("gm.Image(torch.ByteTensor(3, 3))", "3 dimensions"),
        ("gm.Image(torch.IntTensor(3, 3, 3))", "only float, double and byte"),
        ("gm.Image(torch.ByteTensor(3, 3, 2))", "2 planes, but no letters"),
        ("gm.Image(torch.ByteTensor(3, 3, 2), 'RX')", "no letters of colours"),
        ("gm.Image(torch.ByteTensor(3, 3, 2), 'RC')", "no letters of colours"),
        (made + "i:toString()", "has no format"),
        (made + "i:format('XYZ'):toString()", "the format XYZ are not supported"),
        (made + "i:save('plain')", "what format"),
        (made + "i:save('no/such/folder.png')", "No such file"),
        (made + "i:size(0, 3)", "a width and a height"),
        (made + "i:size(3, 3, 'Bessel')", "the filter Bessel is not supported"),
        (made + "i:size(3, 3, 'Box', -1)", "blur"),
        (made + "i:size('big')", "a number expected"),
        (made + "i:rotate(45)", "multiples of 90"),
        (made + "i:blur(0, -1)", "sigma"),
        (made + "i:unsharpMask(9, 1, 1, 0)", "smaller than the filter"),
        (made + "i:gammaCorrection(0)", "larger than 0"),
        (made + "i:colorspace('LAB')", "LAB is not supported"),
        (made + "i:type('Palette')", "cannot be set"),
        (made + "i:samplingFactors({4, 1, 1}):format('JPEG'):toString()", "4,1,1 are not supported"),
        (made + "i:addNoise('Uniform')", "addNoise is not supported"),
        (made + "i:profile('icm', 'a'):profile('icm', 'b')", "profile of colours cannot be used"),
        (made + "i:colorspace('CMYK'):blur(0, 1)", "converts them"),
        (made + "i:colorspace('CMYK'):toTensor('byte', 'RGB')", "converts them"),
        (made + "i:compose(i, 'Over')", "only Copy"),
        ("gm.convert{input = 'a', outputs = 'b'}", "unknown argument outputs"),
        ("gm.save('a.png', 3)", "a tensor expected"),
    ):
        with pytest.raises(LuaError, match=f":2: .*(?:{message})"):
            lua(text + " local _")
