-- The health of an EnsoJob, by its conditions: Succeeded has the state as its reason, and the failure
-- in one line as its message. A job that is not over is never Healthy: a hook would count as done.

if obj.status == nil or obj.status.conditions == nil then
  return {status = "Progressing", message = "no operator has seen this job yet"}
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the operator has not seen the latest change of this job yet"}
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
local succeeded = conditions.Succeeded or {}
local finished = conditions.Finished or {}

local runs = false  -- a job that is paused lets the script that runs come to its end
for _, script in ipairs(obj.status.scripts or {}) do
  runs = runs or script.state == "Running"
end

local health = {status = "Progressing", message = succeeded.message}
if finished.status == "True" then
  health.status = succeeded.status == "True" and "Healthy" or "Degraded"
elseif succeeded.reason == "Suspended" and not runs then
  health.status = "Suspended"
end
return health
