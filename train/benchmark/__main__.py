"""`python -m train.benchmark`."""

import sys

from train.benchmark.measure import main

main(sys.argv[1:])
