"""What a script has added to a module stays, whenever Lua's collector runs."""

from __future__ import annotations

import pytest

from torch7py.bridge.runtime import Runtime

# Ways in which nothing but a running call holds a module, or the container that it is in.
FORMS = {
    "added": "local s = nn.Sequential() s:add(nn.Own()) return s.modules[1]",
    "inserted": "local s = nn.Sequential() s:insert(nn.Own(), 1) return s.modules[1]",
    "taken out of what is dropped": "return nn.Sequential():add(nn.Own()):get(1)",
    "found": "return nn.Sequential():add(nn.Own()):findModules('nn.Own')[1]",
    "converted": "return nn.Sequential():add(nn.Own()):float():get(1)",
    "copied": "return nn.Sequential():add(nn.Sequential():add(nn.Own())):clone().modules[1].modules[1]",
    "copied by a container": "return nn.MapTable():add(nn.Own()).modules[1]",
    "a criterion": "return nn.MultiCriterion():add(nn.OwnCriterion()).criterions[1]",
}


@pytest.mark.few_on_plain_lua(4)
@pytest.mark.parametrize("form", FORMS)
def test_fields_stay(form: str, runtime: Runtime) -> None:
    """The collector runs through at each step that it takes, so that in 6 turns every place in a call sees it."""
    lost = runtime.execute(
        f"""
        require 'nn'
        local Own, parent = torch.class('nn.Own', 'nn.Module')
        function Own:__init() parent.__init(self) self.count = 7 end
        local OwnCriterion, parent = torch.class('nn.OwnCriterion', 'nn.Criterion')
        function OwnCriterion:__init() parent.__init(self) self.count = 7 end
        local function made() {FORMS[form]} end
        collectgarbage('setpause', 1)
        collectgarbage('setstepmul', 10000000)
        local lost = 0
        for _ = 1, 6 do
           if made().count ~= 7 then lost = lost + 1 end
        end
        return lost"""
    )
    assert lost == 0
