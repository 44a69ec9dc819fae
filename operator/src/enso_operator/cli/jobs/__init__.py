"""What people ask of the jobs in a cluster: one module for each command, named as the command.

`commands` declares them and their options, and imports a command's module only when it is called.
"""
