"""The commands about jobs in a cluster: each command has a module of the same name.

`commands` and `action_commands` declare them and their options, and import the module of a command
only when it is called.
"""
