"""What must hold before a commit, apart from the tests: `make check`. All of it runs, also after a failure."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHECKS = {
    "formatting": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "types": ["mypy", "--no-error-summary"],
    "contracts": ["buf", "lint"],
    "generated code": ["python", "tools/generate_protos.py", "--check"],
}


def main() -> int:
    """Prints a line per check, and what the failed ones say. Returns 1 if there are any."""
    programs = Path(sys.executable).parent
    # buf wants a folder to keep things in, and a user without a home has none to offer.
    environment = {**os.environ, "BUF_CACHE_DIR": str(ROOT / "build" / "buf")}
    failed = 0
    for name, (program, *arguments) in CHECKS.items():
        began = time.monotonic()
        result = subprocess.run(
            [programs / program, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(f"{'ok  ' if result.returncode == 0 else 'FAIL'} {name} ({time.monotonic() - began:.0f} s)", flush=True)
        if result.returncode != 0:
            failed += 1
            print(result.stdout.rstrip(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
