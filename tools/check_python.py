"""Say plainly when the Python is too old or too new, before anything is installed. Runs on any Python 3."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        "fhirbridge needs Python 3.11, 3.12 or 3.13; this is %d.%d. Try: make PYTHON=python3.12 demo"  # noqa: UP031
        % sys.version_info[:2]
    )
