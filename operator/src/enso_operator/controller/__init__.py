"""EnsoJobs of a cluster; `handlers` take what kopf sees, `reconciler` decides who works on it."""
