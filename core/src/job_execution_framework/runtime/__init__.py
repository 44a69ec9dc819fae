"""What runs a session: a supervisor in plain Python, and one child, the session's interpreter.

Begin with `supervisor`, which a Pod or the operator on this machine starts. It calls
`service_layer.services.execute`, with the runner of `child_runner` and the unit of work of
`journal`.
"""
