"""Print its arguments: a script to try a job with."""


def main(arg1: str = "", arg2: str = "") -> None:
    print(f"{arg1} {arg2}")
