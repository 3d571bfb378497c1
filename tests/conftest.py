"""The tests run on the quick budget, also on a machine with a GPU, unless COURSE_BUDGET says otherwise."""

import os

os.environ.setdefault("COURSE_BUDGET", "quick")  # the notebooks' kernels inherit it
