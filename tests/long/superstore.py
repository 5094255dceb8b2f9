"""Imports the Superstore order lines through `relata import` beside a running server and checks every figure."""

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

BIN = os.environ["RELATA_BIN"]


def main():
    with tempfile.TemporaryDirectory(prefix="relata-superstore-") as folder:
        run(folder, "init", "--template", "retail", "--yes")
        server = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0"], cwd=folder, stderr=subprocess.PIPE, text=True)
        try:
            base = address(server)
            run(folder, "user", "add", "admin@example.com", "--name", "Admin", "--admin", stdin="a long enough passphrase\n")
            token = run(folder, "token", "create").strip()
            first = imported(folder)
            print("first import", {k: first[k] for k in ("rows", "created", "updated", "unchanged", "failed", "linked")})
            check("rows", first["rows"], 9994)
            check("created", first["created"], 9994)
            check("failed", first["failed"], 0)
            check("customers", first["linked"]["retail.customer"], 793)
            check("orders", first["linked"]["retail.order"], 5009)
            check("products", first["linked"]["retail.product"], 1862)
            check("products with two names", len({d["key"] for d in first["differences"] if d["field"] == "name"}), 32)
            total = aggregate(base, token, {"measures": {"sales": "sum(sales.amount)", "profit": "sum(profit.amount)"}})
            check("sales", total[0]["sales"], "2297200.8603")
            check("profit", total[0]["profit"], "286397.0217")
            technology = aggregate(base, token, {"filter": "product.category = 'technology'", "measures": {"sales": "sum(sales.amount)"}})
            check("technology", technology[0]["sales"], "836154.0330")
            before = changes(base, token)
            second = imported(folder)
            print("second import", {k: second[k] for k in ("rows", "created", "updated", "unchanged", "failed", "linked")})
            check("created again", second["created"], 0)
            check("updated again", second["updated"], 0)
            check("unchanged", second["unchanged"], 9994)
            check("linked again", second["linked"], {})
            check("events of the second import", changes(base, token), before)
            wrong_rows(folder)
        finally:
            server.terminate()
            server.wait(20)
    print("superstore: all figures hold")


def wrong_rows(folder):
    """Rows that break a rule come back in a file with the reason; nothing of them is kept."""
    path = os.path.join(folder, "wrong.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            "Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Country,City,State,Postal Code,Region,"
            "Product ID,Category,Sub-Category,Product Name,Sales,Quantity,Discount,Profit\n"
            "90001,X-1,2020-01-05,2020-01-01,Same Day,XX-1,Nobody,Consumer,US,A,B,1,East,P-1,Technology,Phones,Phone,1.5,1,0,0.1\n"
            "90002,X-2,2020-01-01,2020-01-02,Same Day,XX-2,Somebody,Consumer,US,A,B,1,East,P-2,Technology,Phones,Phone,not a number,1,0,0.1\n"
            "90003,X-3,2020-01-01,2020-01-02,Same Day,XX-3,Anybody,Consumer,US,A,B,1,East,P-3,Technology,Phones,Phone,2.5,1,0,0.1\n"
        )
    result = subprocess.run(
        [BIN, "--json", "import", path, "--mapping", "definitions/retail/import/superstore.yaml"], cwd=folder, capture_output=True, text=True
    )
    report = json.loads(result.stdout)
    check("exit code with wrong rows", result.returncode, 1)
    check("good rows among wrong ones", report["created"], 1)
    check("wrong rows", report["failed"], 2)
    with open(os.path.join(folder, "wrong.failed.csv"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    check("lines of the file of wrong rows", len(lines), 3)
    assert "Shipped before it was ordered" in lines[1], lines[1]
    assert "sales" in lines[2], lines[2]
    check("linked records of the good row alone", report["linked"], {"retail.customer": 1, "retail.order": 1, "retail.product": 1})


def imported(folder):
    return json.loads(
        run(folder, "--json", "import", "definitions/retail/import/superstore.csv", "--mapping", "definitions/retail/import/superstore.yaml")
    )


def run(folder, *arguments, stdin=""):
    result = subprocess.run([BIN, *arguments], cwd=folder, input=stdin, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"relata {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def address(server):
    for line in server.stderr:
        if "serves http" in line:
            return line.split("serves ", 1)[1].strip().rstrip("/")
    raise SystemExit("the server did not start")


def call(base, token, path, body=None):
    request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {token}"})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as fault:
        raise SystemExit(f"{path}: {fault.code} {fault.read().decode()}") from fault


def aggregate(base, token, body):
    return call(base, token, "/api/v1/records/order_line/aggregate", body)["data"]


def changes(base, token):
    since, count = 0, 0
    while True:
        page = call(base, token, f"/api/v1/changes?since={since}&limit=1000")
        count += len(page["data"])
        if not page["data"]:
            return count
        since = page["next"]


def check(name, got, wanted):
    assert got == wanted, f"{name}: got {got!r}, wanted {wanted!r}"
    print(f"  {name}: {got}")


started = time.monotonic()
main()
print(f"{time.monotonic() - started:.1f} s")
