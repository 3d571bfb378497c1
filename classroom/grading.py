"""Grades the exercises of submissions for nbgrader: not in the student's kernel, but beside it.

`python classroom/student.py CHAPTER ... --nbgrader --to FOLDER` puts this file into FOLDER, where
nbgrader_config.py names it. It needs nothing of the course but the installed helpers.

What a submission runs can change everything in its kernel, the checks too. So `nbgrader autograde`
does not run the check cells: in their places the kernel hands out the answers, and each is checked
in a fresh process. An answer that does not arrive is not right.
"""

import hashlib
from importlib.util import find_spec
import json
from pathlib import Path
import re
import subprocess
import sys
from tempfile import TemporaryDirectory

from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade
from traitlets import Integer

CHECK = re.compile(r'^result = check\("([\d.]+)", (.+)\)$', re.MULTILINE)  # in a check cell
HAND_OUT = """
def _hand_out(answer):
    import pathlib, sys, cloudpickle
    alias = sys.modules.pop("__mp_main__", None)  # else pickle says that ufuncs come from there
    pathlib.Path({!r}).write_bytes(cloudpickle.dumps(answer))
    sys.modules["__mp_main__"] = alias or sys.modules["__main__"]
_hand_out({})"""
# What an answer prints is no verdict: that goes to a stream which the answer does not see.
JUDGE = """
import json, os, pickle, sys
from helpers.exercises import check
verdict = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
result = check(sys.argv[1], pickle.load(sys.stdin.buffer))
json.dump([result.passed is True, result.message], verdict)
"""


class Grade(Execute):
    """Runs a submission, and judges the answers that its check cells name.

    Graded cells of another form, which a lecturer has added, are left to nbgrader.
    """

    timeout = Integer(600, help="Seconds for a cell, and for a check.").tag(config=True)

    def preprocess(self, nb, resources, **kwargs):
        """Runs all cells; the outputs of check cells are then verdicts, with the hints as errors.

        Raises:
            RuntimeError: the submission, or an earlier one, has changed the helpers on the disk.
        """
        cells = [cell for cell in nb.cells if is_grade(cell) and CHECK.search(cell.source)]
        sources = [cell.source for cell in cells]  # nbgrader has put back what was locked
        with TemporaryDirectory() as folder:
            files = [Path(folder, str(n)) for n in range(len(cells))]
            for cell, file in zip(cells, files, strict=True):
                cell.source = HAND_OUT.format(str(file), CHECK.search(cell.source)[2])
            nb, resources = super().preprocess(nb, resources, **kwargs)
            for cell, source, file in zip(cells, sources, files, strict=True):
                cell.source = source
                cell.outputs = [self._verdict(CHECK.search(source)[1], file, cell.outputs)]
        return nb, resources

    def _verdict(self, number: str, file: Path, outputs: list):
        if not file.exists():
            errors = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
            passed, message = False, f"❌ {number} There is no answer. {' '.join(errors)}"
        elif checksum() != CHECKSUM:
            raise RuntimeError(
                "the helpers package has been changed on this disk since nbgrader was started: "
                "install it again, look at this submission, and grade again"
            )
        else:
            passed, message = judge(number, file, self.timeout)
        if passed:
            return new_output("stream", name="stdout", text=message + "\n")
        return new_output("error", ename="NotYet", evalue=message, traceback=[message])


def judge(number: str, file: Path, seconds: float) -> tuple[bool, str]:
    """Whether a pickled answer is right, and what the check says of it, found in a new process."""
    command = [sys.executable, "-P", "-c", JUDGE, number]  # -P: nothing is imported from a folder
    try:
        with file.open("rb") as answer:
            run = subprocess.run(
                command, stdin=answer, capture_output=True, cwd=file.parent, timeout=seconds
            )
        passed, message = json.loads(run.stdout)
    except subprocess.TimeoutExpired:
        return False, f"❌ {number} The check of this answer took longer than {seconds} seconds."
    except (ValueError, TypeError):  # nothing, or no pair
        last = run.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return False, f"❌ {number} The check of this answer ended without a result. {last}"
    return passed, message


def checksum() -> str:
    """A sum over the code of the installed helpers.

    Raises:
        ImportError: they are not installed.
    """
    if (helpers := find_spec("helpers")) is None:
        raise ImportError(
            f"the course's package, helpers, is not installed for {sys.executable}: activate the "
            "course's environment, or pip install -r requirements.txt in the course's folder"
        )
    found = hashlib.sha256()
    for path in sorted(Path(helpers.origin).parent.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


CHECKSUM = checksum()  # before any submission has run
