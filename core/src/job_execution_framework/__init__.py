"""Run a list of scripts in order and know exactly what happened.

``service_layer.services`` is the way in; ``domain`` holds the rules; ``runtime`` is what runs
scripts in an interpreter of their own.
"""
