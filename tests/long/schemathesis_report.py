"""Fails when an operation of the document never answered 2xx, or was asked too rarely to say."""

import json
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
document = json.load(open(sys.argv[2], encoding="utf-8"))
operations = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
silent = [operation for operation in operations if not report["good"].get(operation)]
asked = sum(report["asked"].values())
good = sum(report["good"].values())
print(f"{len(operations)} operations, {asked} requests, {good} answered 2xx")
for operation in silent:
    print(f"never answered 2xx: {operation} ({report['asked'].get(operation, 0)} requests)")
sys.exit(1 if silent else 0)
