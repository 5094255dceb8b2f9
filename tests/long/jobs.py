"""What jobs do in the database is done exactly once, whatever moment a process is killed at.

20,000 jobs (runs of an automation with four steps, and scripts after the commit) are worked off while processes are killed: one on
SQLite, one of three on PostgreSQL (where RELATA_TEST_DATABASE says which). Then every record has what its jobs made, once.

Every order is also told to an endpoint, and every fifth one sends a message and an e-mail: none is lost, and what comes twice
comes with the same id and is the same to the byte.
"""

import collections
import email
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

from receivers import Hooks, Mails

BIN = os.environ["RELATA_BIN"]
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
ORDERS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
MORE = max(ORDERS // 5, 1)
PATIENCE = 900

DEFINITIONS = """kind: package
id: site
version: 1.0.0
---
kind: entity
id: site.order
features: {owner: false}
fields:
  name: {type: text, required: true}
  done: {type: integer, default: 0}
  address: {type: email}
scripts:
  - {id: sent, trigger: after_commit, watch: [name], source: "fn run(rec, old, ctx) { create(\\"effect\\", #{order: rec.id, kind: \\"script\\"}); }"}
---
kind: entity
id: site.effect
features: {owner: false}
fields:
  order: {type: link, to: site.order, required: true, on_delete: cascade}
  kind: {type: text, required: true, index: true}
---
kind: automation
id: made
for: site.order
trigger: {event: created}
per_minute: 100000
steps:
  - {id: first, do: create, entity: site.effect, values: {order: "=id", kind: first}}
  - {id: one, do: set, values: {done: "=done + 1"}}
  - {id: second, do: create, entity: site.effect, values: {order: "=id", kind: second}}
  - {id: two, do: set, values: {done: "=done + 1"}}
---
kind: template
id: told
for: site.order
subject: "{{ name }}"
text: "Order {{ name }}"
---
kind: automation
id: told
for: site.order
trigger: {event: created}
when: address is not null
per_minute: 100000
steps:
  - {do: webhook, to: proof, type: order.told, values: {name: "=name"}}
  - {do: email, to: "=address", template: told}
"""
KINDS = ["first", "script", "second"]
TOLD = 5


class Site:
    """A workspace and the processes that serve it."""

    def __init__(self, database, processes):
        self.hooks, self.mails = Hooks(), Mails(busy=20)
        self.folder = tempfile.mkdtemp(prefix="relata-jobs-")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("RELATA_TEST")}
        if database:
            self.environment["DATABASE_URL"] = database
        self.processes, self.servers = processes, []
        self.run("init", "--yes")
        with open(f"{self.folder}/relata-server.yaml", "w", encoding="utf-8") as file:
            file.write(f"egress_allow: [127.0.0.1:{self.hooks.port}, 127.0.0.1:{self.mails.port}]\n")
            file.write(f"mail_host: 127.0.0.1\nmail_port: {self.mails.port}\nmail_security: none\nmail_per_minute: 100000\n")
            file.write("mail_from: proof@example.com\n")
        os.makedirs(f"{self.folder}/definitions/site", exist_ok=True)
        with open(f"{self.folder}/definitions/site/package.yaml", "w", encoding="utf-8") as file:
            file.write(DEFINITIONS)
        self.run("user", "add", "admin@example.com", "--name", "Admin", "--admin", stdin="a long enough passphrase\n")
        self.token = self.run("token", "create").strip()

    def run(self, *arguments, stdin=""):
        result = subprocess.run([BIN, *arguments], cwd=self.folder, env=self.environment, input=stdin, capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"relata {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def serve(self):
        server = subprocess.Popen(
            [BIN, "serve", "--listen", "127.0.0.1:0"], cwd=self.folder, env=self.environment, stderr=subprocess.PIPE, text=True
        )
        for line in server.stderr:
            if "serves http" in line:
                threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
                port = re.search(r":(\d+)", line.split("serves ", 1)[1].replace("http://", "")).group(1)
                return server, f"127.0.0.1:{port}"
        raise SystemExit("the server did not start")

    def start(self):
        while len(self.servers) < self.processes:
            self.servers.append(self.serve())

    def kill(self, dice):
        server, _ = self.servers.pop(dice.randrange(len(self.servers)))
        server.send_signal(signal.SIGKILL)
        server.wait()

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.servers[0][1], timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        data = json.loads(answer.read() or b"null")
        assert answer.status < 300, (method, path, answer.status, data)
        return data

    def orders(self, first, count):
        with open(f"{self.folder}/orders.csv", "w", encoding="utf-8") as file:
            address = lambda number: f"o{number}@example.org" if number % TOLD == 0 else ""
            file.write("name,address\n" + "".join(f"order {number},{address(number)}\n" for number in range(first, first + count)))
        self.run("import", "orders.csv", "--into", "site.order")

    def left(self):
        """Jobs that are not done, by their state."""
        return {state: count for state, count in self.ask("GET", "/api/v1/jobs?limit=1")["counts"].items() if count}

    def close(self):
        for server, _ in self.servers:
            server.send_signal(signal.SIGTERM)
        for server, _ in self.servers:
            server.wait(30)
        self.hooks.close()
        self.mails.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def groups(site, entity, **body):
    return site.ask("POST", f"/api/v1/records/{entity}/aggregate", body)["data"]


def prove(name, database, processes):
    site, dice = Site(database, processes), random.Random(5)
    try:
        site.start()
        body = {"name": "proof", "url": f"http://127.0.0.1:{site.hooks.port}/", "events": ["order.created"]}
        site.ask("POST", "/api/v1/webhooks", body)
        site.orders(0, ORDERS)
        made, killed, begin = ORDERS, 0, time.monotonic()
        while killed < KILLS:
            time.sleep(0.1 + dice.random() * 0.5)
            site.kill(dice)
            killed += 1
            site.start()
            if killed % 10 == 0:
                waiting = sum(site.left().values())
                print(f"  {name}: {killed} kills, {waiting} jobs left", flush=True)
                if waiting < MORE and killed < KILLS:
                    site.orders(made, MORE)
                    made += MORE
        until = time.monotonic() + PATIENCE
        while site.left() and time.monotonic() < until:
            time.sleep(0.5)
        verify(site, made)
        # Events become messages a moment after their jobs are done.
        told = len(range(0, made, TOLD))
        arrived = lambda: (len({headers["webhook-id"] for headers, _ in list(site.hooks.taken)}), len(site.mails.taken))
        while (arrived()[0] < made + told or arrived()[1] < told or site.left()) and time.monotonic() < until:
            time.sleep(0.5)
        twice = verify_told(site, made)
        print(f"{name}: {2 * made} jobs, {killed} kills of {processes} process(es), {time.monotonic() - begin:.0f} s: each effect once; {twice}", flush=True)
    finally:
        site.close()


def verify(site, made):
    left = site.left()
    assert not left, f"jobs are left: {left}"
    (orders,) = groups(site, "order", measures={"orders": "count()"})
    assert orders["orders"] == made, orders
    wrong = groups(site, "order", filter="done is null or done != 2", measures={"orders": "count()"})
    assert wrong[0]["orders"] == 0, f"{wrong} orders were not changed exactly twice"
    found = groups(site, "effect", group=["kind"], measures={"all": "count()", "apart": "count_distinct(order)"}, sort="kind")
    assert [row["kind"] for row in found] == KINDS, found
    for row in found:
        assert row["all"] == row["apart"] == made, f"{row} of {made}"


def verify_told(site, made):
    """Nothing that was to be told is missing; what came more often is the same each time. Gives what came."""
    hooks, mails = list(site.hooks.taken), list(site.mails.taken)
    bodies = collections.defaultdict(set)
    for headers, body in hooks:
        bodies[headers["webhook-id"]].add(body)
    assert all(len(same) == 1 for same in bodies.values()), "a message came again with another body"
    messages = [json.loads(next(iter(same))) for same in bodies.values()]
    events = [message["data"]["id"] for message in messages if message["type"] == "order.created"]
    assert len(events) == len(set(events)) == made, f"{len(events)} events with an id of their own, {len(set(events))} orders, of {made}"
    told = [message["data"]["values"]["name"] for message in messages if message["type"] == "order.told"]
    wanted = {f"order {number}" for number in range(0, made, TOLD)}
    assert len(told) == len(set(told)) and set(told) == wanted, f"{len(told)} messages about {len(set(told))} orders, of {len(wanted)}"
    letters = collections.defaultdict(set)
    for _, message in mails:
        letters[email.message_from_bytes(message)["Message-ID"]].add(message)
    assert all(len(same) == 1 for same in letters.values()), "an e-mail came again and was another one"
    subjects = [email.message_from_bytes(next(iter(same)))["Subject"] for same in letters.values()]
    assert len(subjects) == len(set(subjects)) and set(subjects) == wanted, f"{len(subjects)} e-mails about {len(set(subjects))} orders, of {len(wanted)}"
    left = site.ask("GET", "/api/v1/mails?state=failed")["data"] + site.ask("GET", "/api/v1/mails?state=waiting")["data"]
    assert not left, left[:3]
    return (
        f"{len(bodies)} messages ({len(hooks) - len(bodies)} came again, with the same id) "
        f"and {len(letters)} e-mails ({len(mails) - len(letters)} came again) arrived"
    )


def main():
    prove("SQLite", None, 1)
    database = os.environ.get("RELATA_TEST_DATABASE")
    if database:
        name = f"relata_jobs_{os.getpid()}"
        psql = ["psql", "-q", "-d", database, "-c"]
        subprocess.run([*psql, f"CREATE DATABASE {name}"], check=True)
        try:
            prove("PostgreSQL", f"{database.rsplit('/', 1)[0]}/{name}", 3)
        finally:
            subprocess.run([*psql, f"DROP DATABASE {name} WITH (FORCE)"], check=True)


main()
