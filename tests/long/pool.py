"""Claims in the same moment against three processes on one PostgreSQL: each record has one winner, and nobody passes their cap.

100 people claim the same 100 records: 10,000 claims, each by one request of its own, all released at once from many connections.
RELATA_TEST_DATABASE says which database.
"""

import collections
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

BIN = os.environ["RELATA_BIN"]
CLAIMS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PEOPLE = 100
CAP = 3
WORKERS = 60

DEFINITIONS = f"""kind: package
id: site
version: 1.0.0
---
kind: entity
id: site.lead
fields:
  name: {{type: text, required: true}}
pools:
  - {{id: public, roles: [rep], show: [name], caps: [{{most: {CAP}}}]}}
---
kind: role
id: rep
permissions: {{site.lead: {{rows: "owner = me()"}}}}
"""


def run(folder, environment, *arguments, stdin=""):
    result = subprocess.run([BIN, *arguments], cwd=folder, env=environment, input=stdin, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"relata {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def serve(folder, environment):
    server = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "serves http" in line:
            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            port = re.search(r":(\d+)", line.split("serves ", 1)[1].replace("http://", "")).group(1)
            return server, f"127.0.0.1:{port}"
    raise SystemExit("the server did not start")


def ask(connection, token, method, path, body=None):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b"null")


def main():
    folder = tempfile.mkdtemp(prefix="relata-pool-")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RELATA_TEST")}
    environment["DATABASE_URL"] = os.environ["RELATA_TEST_DATABASE"]
    servers = []
    try:
        run(folder, environment, "init", "--yes")
        os.makedirs(f"{folder}/definitions/site", exist_ok=True)
        with open(f"{folder}/definitions/site/package.yaml", "w", encoding="utf-8") as file:
            file.write(DEFINITIONS)
        run(folder, environment, "user", "add", "admin@example.com", "--name", "Admin", "--admin", stdin="a long enough passphrase\n")
        admin = run(folder, environment, "token", "create").strip()
        servers = [serve(folder, environment) for _ in range(3)]
        places = [place for _, place in servers]
        connection = http.client.HTTPConnection(places[0], timeout=60)
        people = []
        for number in range(PEOPLE):
            email = f"rep{number}@example.com"
            status, made = ask(connection, admin, "POST", "/api/v1/records/user", {"name": f"Rep {number}", "email": email, "roles": ["rep"]})
            assert status == 201, made
            people.append((made["id"], run(folder, environment, "token", "create", "--user", email).strip()))
        leads = []
        for number in range(CLAIMS // PEOPLE):
            status, made = ask(connection, admin, "POST", "/api/v1/records/lead", {"name": f"Lead {number}", "owner": None})
            assert status == 201, made
            leads.append(made["id"])
        shots = [(lead, person) for lead in leads for person in people]
        random.Random(3).shuffle(shots)
        barrier, results, lock = threading.Barrier(WORKERS), [], threading.Lock()

        def work(number):
            own = shots[number::WORKERS]
            at = http.client.HTTPConnection(places[number % len(places)], timeout=120)
            at.connect()
            mine = []
            barrier.wait()
            for lead, (person, token) in own:
                for _ in range(50):
                    status, told = ask(at, token, "POST", "/api/v1/pools/lead/public/claim", {"records": [lead]})
                    # An overloaded server says so at once; whoever claims asks again.
                    if status not in (429, 503):
                        break
                    time.sleep(0.05)
                mine.append((lead, person, status, told))
            with lock:
                results.extend(mine)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - begin
        outcomes, winners, held = collections.Counter(), collections.defaultdict(list), collections.Counter()
        for lead, person, status, told in results:
            assert status == 200, (status, told)
            one = told["data"][0]
            outcomes["claimed" if one["claimed"] else one["error"]["errors"][0]["code"]] += 1
            if one["claimed"]:
                winners[lead].append(person)
                held[person] += 1
        assert len(results) == len(shots), (len(results), len(shots))
        assert all(len(who) == 1 for who in winners.values()), "a record has two winners"
        assert max(held.values()) <= CAP, "somebody holds more than they may"
        wrong = 0
        for lead in leads:
            _, record = ask(connection, admin, "GET", f"/api/v1/records/lead/{lead}")
            wrong += record["owner"] != (winners[lead][0] if lead in winners else None)
        assert wrong == 0, f"{wrong} records belong to somebody else than the one who was told so"
        assert len(winners) == len(leads), f"{len(winners)} of {len(leads)} records were claimed, though {PEOPLE} people may hold {CAP} each"
        print(f"{len(results)} claims by {PEOPLE} people on {len(leads)} records in {took:.1f} s: {dict(outcomes)}; one winner each, at most {max(held.values())} held of {CAP}")
    finally:
        for server, _ in servers:
            server.send_signal(signal.SIGTERM)
        for server, _ in servers:
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


main()
