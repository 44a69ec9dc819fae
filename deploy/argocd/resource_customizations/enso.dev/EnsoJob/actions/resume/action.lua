-- Asks the operator to resume this very job, and none that is created under its name later.

local action = {
  apiVersion = obj.apiVersion,
  kind = "EnsoAction",
  metadata = {
    generateName = obj.metadata.name .. "-",
    namespace = obj.metadata.namespace
  },
  spec = {
    job = obj.metadata.name,
    jobUID = obj.metadata.uid,
    verb = "resume",
    why = "asked in Argo CD"
  }
}
return {{operation = "create", resource = action}}
