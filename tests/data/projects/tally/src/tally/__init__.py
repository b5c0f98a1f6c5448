"""Counts."""

import sys

from tally._tally import total


def main() -> None:
    """Print the total of the arguments."""
    print(total([int(each) for each in sys.argv[1:]]))
