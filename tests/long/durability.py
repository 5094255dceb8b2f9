"""No acknowledged write is lost and none is half there, whatever moment the process is killed at."""

import http.client
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

BIN = os.environ["RELATA_BIN"]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
CLIENTS = 8
ENTITY = """kind: entity
id: site.entry
features: {owner: false}
fields:
  name: {type: text, required: true, search: true}
  left: {type: integer}
  right: {type: integer}
  lines: {type: children, of: site.entry_line, by: entry}
---
kind: entity
id: site.entry_line
features: {owner: false}
fields:
  entry: {type: link, to: site.entry, required: true, on_delete: cascade, inverse: lines}
  position: {type: integer}
"""


def main():
    folder = tempfile.mkdtemp(prefix="relata-durability-")
    try:
        run(folder, "init", "--yes")
        os.makedirs(f"{folder}/definitions/site")
        with open(f"{folder}/definitions/site/package.yaml", "w", encoding="utf-8") as file:
            file.write("kind: package\nid: site\nversion: 1.0.0\n---\n" + ENTITY)
        run(folder, "user", "add", "admin@example.com", "--name", "Admin", "--admin", stdin="a long enough passphrase\n")
        token = run(folder, "token", "create").strip()
        kill_rounds(folder, token)
        synced_before_answer(folder, token)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kill_rounds(folder, token):
    acknowledged = {}
    dice = random.Random(11)
    for number in range(ROUNDS):
        server, host = serve(folder)
        over = threading.Event()
        written = [dict() for _ in range(CLIENTS)]
        writers = [threading.Thread(target=write, args=(host, token, number, n, over, written[n])) for n in range(CLIENTS)]
        for writer in writers:
            writer.start()
        time.sleep(0.15 + dice.random() * 0.5)
        server.send_signal(signal.SIGKILL)
        server.wait()
        over.set()
        for writer in writers:
            writer.join()
        for part in written:
            acknowledged.update(part)
        verify(folder, acknowledged)
        if (number + 1) % 10 == 0:
            print(f"  {number + 1} kills, {len(acknowledged)} acknowledged records, none lost, none half there", flush=True)
    assert len(acknowledged) > ROUNDS * 5, "the clients hardly wrote"


def write(host, token, number, client, over, written):
    """Creates records with two lines each and updates both halves of one; remembers what was acknowledged."""
    connection, count = http.client.HTTPConnection(host, timeout=10), 0
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        while not over.is_set():
            count += 1
            body = {"name": f"r{number} c{client} n{count}", "left": count, "right": count, "lines": [{"position": 1}, {"position": 2}]}
            connection.request("POST", "/api/v1/records/entry", json.dumps(body), headers)
            answer = connection.getresponse()
            record = json.loads(answer.read())
            assert answer.status == 201, record
            written[record["id"]] = (count, count)
            if count % 3 == 0:
                # Until it is acknowledged both the old and the new state are right.
                written[record["id"]] = (count, -count)
                connection.request("PATCH", f"/api/v1/records/entry/{record['id']}", json.dumps({"left": -count, "right": -count}), headers)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
                written[record["id"]] = (-count, -count)
    except (OSError, http.client.HTTPException):
        pass


DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def number_of(identifier):
    value = 0
    for digit in identifier.rsplit("_", 1)[1]:
        value = value * 32 + DIGITS.index(digit)
    return value


def verify(folder, acknowledged):
    """Opens the files as the crash left them, in a copy, and looks."""
    copy = f"{folder}/copy"
    shutil.rmtree(copy, ignore_errors=True)
    os.makedirs(copy)
    for name in os.listdir(f"{folder}/relata-data"):
        if name.startswith("relata.db") and not name.endswith("-shm"):
            shutil.copy(f"{folder}/relata-data/{name}", copy)
    database = sqlite3.connect(f"{copy}/relata.db")
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert not database.execute("PRAGMA foreign_key_check").fetchall()
    stored = {row[0]: row[1:] for row in database.execute('SELECT id, "left", "right", version FROM e_entry')}
    lines = dict(database.execute("SELECT entry, count(*) FROM e_entry_line GROUP BY entry"))
    history = dict(database.execute("SELECT record, count(*) FROM sys_history GROUP BY record"))
    for record, (left, right, version) in stored.items():
        assert left == right, f"record {record} is half written: {left} {right}"
        assert lines.get(record) == 2, f"record {record} has {lines.get(record)} lines"
        assert history.get(record) == version, f"record {record} has {history.get(record)} history rows at version {version}"
    for identifier, (first, second) in acknowledged.items():
        held = stored.get(number_of(identifier))
        assert held is not None, f"{identifier} was acknowledged and is lost"
        assert held[0] in (first, second), f"{identifier} holds {held[0]}, acknowledged was {second}"
    database.close()


def synced_before_answer(folder, token):
    """Under strace: between the last write to the log and the answer's bytes there is a sync."""
    server, host = serve(folder)
    trace = f"{folder}/trace"
    strace = subprocess.Popen(
        ["strace", "-f", "-y", "-s", "40", "-e", "trace=fsync,fdatasync,pwrite64,write,writev,sendto", "-o", trace, "-p", str(server.pid)],
        stderr=subprocess.DEVNULL,
    )
    time.sleep(1)
    over, written = threading.Event(), {}
    writer = threading.Thread(target=write, args=(host, token, 9999, 0, over, written))
    writer.start()
    time.sleep(2)
    over.set()
    writer.join()
    strace.terminate()
    strace.wait()
    server.send_signal(signal.SIGTERM)
    server.wait(20)
    dirty, answers, syncs = False, 0, 0
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            if "relata.db-wal" in line and re.search(r"pwrite64\(|write\(", line):
                dirty = True
            elif re.search(r"fdatasync\(|fsync\(", line) and "relata.db-wal" in line:
                dirty, syncs = False, syncs + 1
            elif "HTTP/1.1 201" in line or "HTTP/1.1 200" in line:
                answers += 1
                assert not dirty, "an answer was sent before its log was synced"
    assert answers > 20 and syncs > 0, (answers, syncs)
    print(f"strace: {answers} answers, {syncs} syncs of the log, each answer after its sync")


def serve(folder):
    server = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0"], cwd=folder, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "serves http" in line:
            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            port = re.search(r":(\d+)", line.split("serves ", 1)[1].replace("http://", "")).group(1)
            return server, f"127.0.0.1:{port}"
    raise SystemExit("the server did not start")


def run(folder, *arguments, stdin=""):
    result = subprocess.run([BIN, *arguments], cwd=folder, input=stdin, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"relata {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


main()
