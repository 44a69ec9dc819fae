"""Say what was asked for: a script to try a job with."""


def main(arg1="", arg2=""):
    print(f"{arg1} {arg2}")
