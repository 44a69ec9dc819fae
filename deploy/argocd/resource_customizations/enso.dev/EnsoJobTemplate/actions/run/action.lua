-- Creates a run of this template. It belongs to nobody: not to the application, which would prune it,
-- and not to the template, with which it would be deleted. A parameter that is left empty has its
-- default; what else is wrong with one, the run's status says.

local function typed(parameter, text)
  local value = text
  if parameter.type == "integer" or parameter.type == "number" then
    value = tonumber(text)
  elseif parameter.type == "boolean" then
    value = nil
    if text == "true" or text == "false" then
      value = text == "true"
    end
  end
  if value == nil then
    error("parameter " .. parameter.name .. " takes a value of type " .. parameter.type .. ", not '" .. text .. "'", 0)
  end
  return value
end

local spec = {templateRef = {name = obj.metadata.name}}
for _, parameter in ipairs(obj.spec.parameters or {}) do
  local text = actionParams[parameter.name]
  if text ~= nil and text ~= "" then
    spec.params = spec.params or {}
    spec.params[parameter.name] = typed(parameter, text)
  elseif parameter.required then
    error("parameter " .. parameter.name .. " is missing", 0)
  end
end

local labels = nil
for key, value in pairs(obj.metadata.labels or {}) do
  -- By these Argo CD would take the run for a part of the application that is not in Git.
  if key ~= "app.kubernetes.io/instance" and key ~= "argocd.argoproj.io/instance" then
    labels = labels or {}
    labels[key] = value
  end
end

local job = {
  apiVersion = obj.apiVersion,
  kind = "EnsoJob",
  metadata = {
    generateName = obj.metadata.name .. "-",
    namespace = obj.metadata.namespace,
    labels = labels
  },
  spec = spec
}
return {{operation = "create", resource = job}}
