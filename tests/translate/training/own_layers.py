"""Layers that a program defines itself."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OWN_LAYERS", "UserLayer"]


@dataclass(frozen=True)
class UserLayer:
    call: str
    text: str


OWN_LAYERS = [
    UserLayer(
        "nn.Doubled(2)",
        """
        local Doubled, parent = torch.class('nn.Doubled', 'nn.Module')
        function Doubled:__init(factor)
          parent.__init(self)
          self.factor = factor or 1
        end
        function Doubled:updateOutput(input)
          self.output:resizeAs(input):copy(input):mul(self.factor)
          return self.output
        end
        function Doubled:updateGradInput(input, gradOutput)
          self.gradInput:resizeAs(gradOutput):copy(gradOutput):mul(self.factor)
          return self.gradInput
        end
        """,
    ),
    UserLayer(
        "nn.Bent()",
        """
        local Bent, Parent = torch.class('nn.Bent', 'nn.Module')
        function Bent:updateOutput(input)
          self.output = torch.cmul(input, input):add(1):sqrt()
          return self.output
        end
        function Bent:updateGradInput(input, gradOutput)
          self.gradInput = torch.cmul(gradOutput, input):cdiv(self.output)
          return self.gradInput
        end
        """,
    ),
    UserLayer(
        "nn.Penalized(0.01)",
        """
        do
          local Penalized, base = torch.class('nn.Penalized', 'nn.Module')
          function Penalized:__init(l1)
            base.__init(self)
            self.l1 = l1
          end
          function Penalized:updateOutput(input)
            self.loss = self.l1 * input:norm(1)
            self.output = input
            return self.output
          end
          function Penalized:updateGradInput(input, gradOutput)
            self.gradInput:resizeAs(input):copy(input):sign():mul(self.l1):add(gradOutput)
            return self.gradInput
          end
        end
        """,
    ),
    UserLayer(
        "nn.Gain()",
        """
        local Gain, gainParent = torch.class('nn.Gain', 'nn.Module')
        function Gain:__init()
          gainParent.__init(self)
          self.weight = torch.Tensor(1):fill(0.8)
          self.gradWeight = torch.zeros(1)
        end
        function Gain:updateOutput(input)
          self.output:resizeAs(input):copy(input):mul(self.weight[1])
          return self.output
        end
        function Gain:updateGradInput(input, gradOutput)
          self.gradInput:resizeAs(input):zero()
          self.gradInput:add(self.weight[1], gradOutput)
          return self.gradInput
        end
        function Gain:accGradParameters(input, gradOutput, scale)
          scale = scale or 1
          self.gradWeight[1] = self.gradWeight[1] + scale * torch.cmul(input, gradOutput):sum()
        end
        """,
    ),
    UserLayer(
        "nn.Stretched(3)",
        """
        local Stretched, _ = torch.class('nn.Stretched', 'nn.Sequential')
        function Stretched:__init(n)
          nn.Sequential.__init(self)
          self:add(nn.MulConstant(n))
          self:add(nn.Tanh())
        end
        """,
    ),
]
