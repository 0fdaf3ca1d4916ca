"""What can be measured and how: `python -m benchmarks` lists it; `python -m benchmarks.NAME` runs one."""

from __future__ import annotations

import ast
from pathlib import Path

for script in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    told = ast.get_docstring(ast.parse(script.read_text("utf-8"))) or ""
    print(f"python -m benchmarks.{script.stem:22} {told.splitlines()[0] if told else ''}")
