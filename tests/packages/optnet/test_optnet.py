"""optnet, by what its documentation promises."""

from __future__ import annotations

from typing import Any

from tests.inner_runtime import InnerRuntime as Runtime


def lua(text: str) -> Any:
    with Runtime() as runtime:
        return runtime.execute("require 'nn'; torch.manualSeed(5)\n" + text)


NET = """
    local optnet = require 'optnet'
    local function made()
       torch.manualSeed(9)
       return nn.Sequential():add(nn.Linear(4, 6)):add(nn.BatchNormalization(6)):add(nn.ReLU()):add(nn.Linear(6, 2))
    end
    local x = torch.randn(8, 4)
"""


class TestOptnet:
    def test_training_goes_on(self):
        assert lua(
            NET
            + """
            local net, plain = made(), made()
            optnet.optimizeMemory(net, x, {inplace = false, mode = 'training'})
            -- two passes on the sample: statistics and gradients show them
            for _ = 1, 2 do plain:backward(x, plain:forward(x):clone()) end
            assert(net:get(2).running_mean:equal(plain:get(2).running_mean))
            local weights, gradient = net:getParameters()
            local _, wanted = plain:getParameters()
            assert(gradient:equal(wanted) and net:get(3).inplace == false)
            net:zeroGradParameters()
            plain:zeroGradParameters()
            local y = torch.randn(8, 2)
            net:forward(x)
            plain:forward(x)
            net:backward(x, y)
            plain:backward(x, y)
            optnet.optimizeMemory(net, x) -- says that it was done before
            return gradient:equal(wanted) and net.__memoryOptimized == 'training'
            """
        )

    def test_inference_and_back(self):
        assert lua(
            NET
            + """
            local net, plain = made(), made()
            net:evaluate()
            plain:evaluate()
            optnet.optimizeMemory(net, x)
            local first = net:get(1)
            assert(net:get(3).inplace == true and first.gradWeight:nElement() == 0)
            assert(net:forward(x):equal(plain:forward(x)))
            local ok, said = pcall(net.backward, net, x, net.output)
            assert(not ok and said:find 'Backward pass disabled!')
            ok, said = pcall(net.getParameters, net)
            assert(not ok and said:find 'getParameters was disabled')
            optnet.removeOptimization(net)
            assert(net.__memoryOptimized == nil and net.output:nElement() == 0)
            local y = torch.randn(8, 2)
            net:forward(x)
            plain:forward(x)
            net:zeroGradParameters()
            plain:zeroGradParameters()
            net:backward(x, y)
            plain:backward(x, y)
            local _, gradient = net:getParameters()
            local _, wanted = plain:getParameters()
            optnet.removeOptimization(net) -- says that there is none
            return first.gradWeight:size(1) == 6 and gradient:equal(wanted)
            """
        )

    def test_bytes(self):
        net = "local net = nn.Sequential():add(nn.Linear(4, 6)):add(nn.ReLU(true)):float()"
        sizes = lua(f"""
            {net}
            net:backward(torch.FloatTensor(8, 4):normal(), net:forward(torch.FloatTensor(8, 4):normal()))
            return require('optnet').countUsedMemory(net)
        """)
        # the layer in place shares its result with the one before; its gradient is the one that came
        assert sizes["params"] == 2 * (4 * 6 + 6) * 4
        assert sizes["outputs"] == 8 * 6 * 4
        assert sizes["gradInputs"] >= 8 * 4 * 4
        assert sizes["total_size"] == sum(
            sizes[kind] for kind in ("params", "outputs", "gradInputs", "buffers")
        )
