"""Looks for values in a log: python3 logs.py LOG VALUES. Prints what it finds and fails then."""

import re
import sys

log = open(sys.argv[1], encoding="utf-8", errors="replace").read()
values = sorted(set(open(sys.argv[2], encoding="utf-8", errors="replace").read().splitlines()), key=len)
# Words of the program itself (paths of the API, names in messages of definitions) are no values of anybody.
program = re.compile(r"^(/[a-z_/{}.-]*|[a-z_]+(\.[a-z_]+)+)$")
values = [value for value in values if value.strip() and not program.match(value)]
found = [value for value in values if value in log]
print(f"{len(log) / 1e6:.0f} MB of log, {log.count(chr(10)):,} lines, {len(values):,} values, {len(found)} found")
for value in found[:20]:
    at = log.index(value)
    print(f"  {value!r}: …{log[max(0, at - 100):at + 100]!r}")
sys.exit(1 if found else 0)
