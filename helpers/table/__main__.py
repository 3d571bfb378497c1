"""`python -m helpers.table build` and `check`."""

from helpers.table.build import main

main()
