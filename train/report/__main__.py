"""`python -m train.report`."""

from train.report.write import main

main()
