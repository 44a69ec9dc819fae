-- A template is run with the parameters that can be typed in: texts, numbers, and true or false.

local params = {}
local needs_more = false
for _, parameter in ipairs(obj.spec.parameters or {}) do
  if parameter.type ~= "list" and parameter.type ~= "object" then
    table.insert(params, {name = parameter.name})
  elseif parameter.required then
    needs_more = true
  end
end

local run = {disabled = needs_more, iconClass = "fa fa-fw fa-play"}
if #params > 0 then
  run.params = params
end
return {run = run}
