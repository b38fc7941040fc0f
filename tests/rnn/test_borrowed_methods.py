"""Methods of one class that a script lends to a class of another parent, as Lua allows."""

from __future__ import annotations

import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

# A container of a script's own: no nn.Container, but with its methods, and those of nn.Sequential.
BOX = """
    require 'nn'
    local Box, parent = torch.class('nn.Box', 'nn.Module')
    function Box:__init()
       parent.__init(self)
       self.modules = {}
    end
    for _, name in ipairs{'add', 'get', 'size', 'training', 'evaluate', 'parameters', 'zeroGradParameters'} do
       Box[name] = nn.Container[name]
    end
    for _, name in ipairs{'updateOutput', 'updateGradInput', 'accGradParameters', 'backward'} do
       Box[name] = nn.Sequential[name]
    end
    box = nn.Box():add(nn.Linear(3, 2)):add(nn.Tanh())
    table.insert(box.modules, nn.Linear(2, 2))
    plain = nn.Sequential():add(box:get(1)):add(nn.Tanh()):add(box:get(3))
    x, g = torch.randn(4, 3), torch.randn(4, 2)
"""
# As rnn's own test has it: steps with clones, but no nn.AbstractRecurrent.
AGENT = """
    require 'rnn'
    local Agent, parent = torch.class('nn.Agent', 'nn.AbstractSequencer')
    function Agent:__init(action)
       parent.__init(self)
       self.modules = {action}
       self.sharedClones = {action:sharedClone(), action:sharedClone()}
       self.step = 3
       self.asked = 0
    end
    for _, name in ipairs{'includingSharedClones', 'type', 'training', 'evaluate', 'reinforce', 'forget',
                          'maxBPTTstep'} do
       Agent[name] = nn.AbstractRecurrent[name]
    end
    function Agent:getStepModule(step)
       self.asked = self.asked + 1
       return self.sharedClones[step]
    end
    agent = nn.Agent(nn.Sequential():add(nn.Linear(2, 2)):add(nn.ReinforceNormal(0.1)))
    clones = agent.sharedClones
    function all(f)
       local found = {f(agent.modules[1])}
       for i, clone in ipairs(agent.sharedClones) do found[i + 1] = f(clone) end
       return unpack(found)
    end
    function rewards() return all(function(m) return m:get(2).reward and m:get(2).reward[1] end) end
"""
PROGRAM = f"""
{BOX}
{AGENT}
print(#box.modules, box:size(), box:get(2), box:forward(x):dist(plain:forward(x)))
box:zeroGradParameters()
print(box:backward(x, g), box.modules[1].gradWeight, #box:parameters())
box:evaluate()
print(box.train, box.modules[1].train)
agent:evaluate()
print(agent.train, all(function(m) return m:get(2).train end))
agent:training()
print(agent.train, all(function(m) return m:get(2).train end))
agent:reinforce(torch.Tensor{{1, 2}})
print(rewards())
agent:reinforce{{torch.Tensor{{3, 4}}, torch.Tensor{{5, 6}}}}
print(agent.asked, rewards())
agent:maxBPTTstep(7)
print(agent.rho, agent.sharedClones == clones, #clones, agent:float():type())
print(agent:includingSharedClones(function() return 'x' end), pcall(agent.reinforce, agent, {{1, 2, 3}}))
agent:forget()
print(agent.step, agent.sharedClones == clones, #clones)
"""


def test_a_containers_methods_on_a_module(runtime: Runtime) -> None:
    runtime.execute(BOX)
    assert runtime.execute("return #box.modules, box:size(), torch.type(box:get(2))") == (3, 3, "nn.Tanh")
    assert runtime.execute("return box:forward(x):dist(plain:forward(x))") < 1e-15
    runtime.execute("box:zeroGradParameters()")
    ours, gradient = runtime.execute("return box:backward(x, g):clone(), box.modules[1].gradWeight:clone()")
    runtime.execute("plain:zeroGradParameters()")
    torch.testing.assert_close(ours, runtime.execute("return plain:backward(x, g)"), rtol=1e-14, atol=1e-15)
    torch.testing.assert_close(
        gradient, runtime.execute("return plain:get(1).gradWeight"), rtol=1e-14, atol=1e-15
    )
    assert runtime.execute("return #box:parameters()") == 4
    runtime.execute("box:evaluate()")
    assert runtime.execute("return box.train, box.modules[1].train, box.modules[3].train") == (False,) * 3


def test_switches_reach_the_clones(runtime: Runtime) -> None:
    runtime.execute(AGENT)
    modes = "return agent.train, all(function(m) return m:get(2).train end)"
    runtime.execute("agent:evaluate()")
    assert runtime.execute(modes) == (False,) * 4
    runtime.execute("agent:training()")
    assert runtime.execute(modes) == (True,) * 4
    runtime.execute("agent:float()")
    types = runtime.execute("return all(function(m) return m:get(1).weight:type() end)")
    assert types == ("torch.FloatTensor",) * 3
    assert runtime.execute("return agent.sharedClones == clones, #clones")[0] is True


def test_rewards_reach_the_clones(runtime: Runtime) -> None:
    """One for all goes to the children too; one for each step to what the script's ``getStepModule`` names."""
    runtime.execute(AGENT)
    runtime.execute("agent:reinforce(torch.Tensor{1, 2})")
    assert runtime.execute("return rewards()") == (1, 1, 1)
    runtime.execute("agent:reinforce{torch.Tensor{3, 4}, torch.Tensor{5, 6}}")
    assert runtime.execute("return rewards()") == (1, 3, 5)
    runtime.execute("agent:reinforce(torch.Tensor{{7, 8}, {9, 10}})")
    assert runtime.execute("return agent.asked, rewards()") == (4, 1, 7, 9)
    with pytest.raises(LuaError, match="3 rewards for 2 steps"):
        runtime.execute("agent:reinforce{1, 2, 3}")
    with pytest.raises(LuaError, match="3 rewards for 2 steps"):
        runtime.execute("agent:reinforce{1, 2, 3}")


def test_fields_come_back_to_the_script(runtime: Runtime) -> None:
    runtime.execute(AGENT)
    runtime.execute("agent:maxBPTTstep(7) agent.step = 9 agent:forget()")
    found = runtime.execute(
        "return agent.rho, agent.step, rawget(agent, 'step'), agent.sharedClones == clones, #clones"
    )
    assert found == (7, 1, 1, True, 2)


def test_a_method_without_the_fields_that_it_needs(runtime: Runtime) -> None:
    runtime.execute(AGENT)
    with pytest.raises(LuaError, match=r"nn\.Agent has no recurrentModule"):
        runtime.execute("nn.AbstractRecurrent.getStepModule(agent, 5)")


def test_clones_are_children_for_a_while(runtime: Runtime) -> None:
    runtime.execute("""
        require 'rnn'
        m = nn.LSTM(2, 2)
        for _ = 1, 3 do m:forward(torch.ones(2)) end
        m:includingSharedClones(function() nn.Container.evaluate(m) end)
    """)
    assert runtime.execute("return m.train, m.sharedClones[3].train, #m.modules") == (False, False, 1)
