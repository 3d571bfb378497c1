"""The tests run on the quick budget, on a GPU too, unless COURSE_BUDGET says otherwise."""

import os

os.environ.setdefault("COURSE_BUDGET", "quick")  # the notebooks' kernels inherit it
