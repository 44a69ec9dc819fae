"""The services of jobs, and the ports through which they reach everything else.

Begin with `services`. The ports are `unit_of_work`, `runner`, `library` and `clock`.
"""
