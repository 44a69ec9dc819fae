-- What may be asked of an EnsoJob, by its state. Each is an EnsoAction, which the operator does or
-- refuses with a sentence: what is offered here may be impossible by then.

local conditions = {}
for _, condition in ipairs(obj.status ~= nil and obj.status.conditions or {}) do
  conditions[condition.type] = condition
end
local succeeded = conditions.Succeeded or {}
local is_over = conditions.Finished ~= nil and conditions.Finished.status == "True"
local is_decided = succeeded.status == "True" or succeeded.status == "False"
-- By an action, also while its script still runs: a resume does nothing to one that its spec suspends.
local ledger = obj.status ~= nil and obj.status.ledger or {}
local is_paused = succeeded.reason == "Suspended" and ledger.pause ~= nil

return {
  resume = {
    disabled = not (is_paused or (is_over and succeeded.status == "False")),
    iconClass = "fa fa-fw fa-play"
  },
  pause = {
    disabled = is_decided or is_paused,
    iconClass = "fa fa-fw fa-pause"
  },
  cancel = {
    disabled = is_over,
    iconClass = "fa fa-fw fa-stop"
  }
}
