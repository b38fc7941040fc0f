"""An encoder that gives its last state to a decoder, and takes the gradients of it back, as programs of 2016 do."""

from __future__ import annotations

import pytest

from tests.inner_runtime import InnerRuntime as Runtime

COUPLED = """require 'rnn'
torch.manualSeed(1)
local encoder, decoder = nn.{layer}(3, 3), nn.{layer}(3, 3)
local reader, writer = nn.Sequencer(encoder), nn.Sequencer(decoder)
local x = {{torch.randn(2, 3), torch.randn(2, 3)}}
local y = {{torch.randn(2, 3), torch.randn(2, 3)}}
local gradient = {{torch.randn(2, 3), torch.randn(2, 3)}}
local weights, gradients = reader:getParameters()
local copy, has_cells = nn.rnn.recursiveCopy, '{layer}' ~= 'GRU'
local function loss()
   reader:forget() writer:forget()
   reader:forward(x)
   decoder.userPrevOutput = copy(decoder.userPrevOutput, encoder.outputs[2])
   if has_cells then decoder.userPrevCell = copy(decoder.userPrevCell, encoder.cells[2]) end
   local output = writer:forward(y)
   return output[1]:dot(gradient[1]) + output[2]:dot(gradient[2])
end
local function back(steps)
   loss()
   gradients:zero()
   writer:backward(y, gradient)
   encoder.gradPrevOutput = copy(encoder.gradPrevOutput, decoder.userGradPrevOutput)
   if has_cells then
      encoder.userNextGradCell = copy(encoder.userNextGradCell, decoder.userGradPrevCell)
   end
   reader:backward(x, {{torch.zeros(2, 3), torch.zeros(2, 3)}})
   return gradients:clone()
end
local found = back()
assert((back() - found):abs():max() < 1e-14, 'another time')
local wanted = found:clone()
for i = 1, weights:size(1) do
   local before = weights[i]
   weights[i] = before + 1e-5 local up = loss()
   weights[i] = before - 1e-5 local down = loss()
   weights[i] = before
   wanted[i] = (up - down) / 2e-5
end
reader:forget()
reader:forward(x)
return (wanted - found):abs():max(), wanted:abs():max(), encoder.gradPrevOutput == nil
"""


@pytest.mark.parametrize("generation", [2015, 2016])
@pytest.mark.parametrize("layer", ["LSTM", "FastLSTM", "GRU"])
def test_the_gradient_of_the_encoder_is_that_of_differences(layer: str, generation: int) -> None:
    """It was none of what the decoder gives, for the name that the last output's gradient had until 2016."""
    runtime = Runtime(rnn_api=generation)
    largest, of, is_gone = runtime.execute(COUPLED.format(layer=layer), "@p.lua")
    assert largest < 1e-8
    assert of > 0.1
    assert is_gone
