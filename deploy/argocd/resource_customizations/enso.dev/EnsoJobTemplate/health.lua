-- A template has no status: nothing happens until it is run, and a run tells what is wrong with it.

return {status = "Healthy"}
