-- The health of an EnsoAction, by its conditions: it is done, or refused, and the message says why.

if obj.status == nil or obj.status.conditions == nil then
  return {status = "Progressing", message = "the action has not had its turn yet"}
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
local succeeded = conditions.Succeeded or {}
local finished = conditions.Finished or {}

local health = {status = "Progressing", message = succeeded.message}
if finished.status == "True" then
  health.status = succeeded.status == "True" and "Healthy" or "Degraded"
end
return health
