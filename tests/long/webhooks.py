"""What the program sends is verified by the public `standardwebhooks` libraries; what somebody changed is not.

Records are made, changed and deleted in a real server, a receiver takes its messages as they come over the line. Then each is
shown to the library of PyPI and to that of npm: as it came, with each of some bytes changed, with another id, time and secret.
"""

import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import standardwebhooks

from receivers import Hooks

BIN = os.environ["RELATA_BIN"]
MESSAGES = int(sys.argv[1]) if len(sys.argv) > 1 else 200
NAMES = ["Ada & Söhne", "光学株式会社", "O'Brien \"quoted\"", "line\u2028break", "🙂 <b>bold</b>", "back\\slash"]
DEFINITIONS = """kind: package
id: site
version: 1.0.0
---
kind: entity
id: site.order
fields:
  name: {type: text, required: true}
---
kind: automation
id: told
for: site.order
trigger: {event: created}
per_minute: 100000
steps: [{do: webhook, to: proof, type: order.told, values: {name: "=name", of: "光"}}]
"""


def serve(folder):
    server = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0"], cwd=folder, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "serves http" in line:
            port = line.split("serves ", 1)[1].strip().rsplit(":", 1)[1].strip("/")
            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            return server, f"http://127.0.0.1:{port}"
    raise SystemExit("the server did not start")


class Site:
    def __init__(self, folder, hooks):
        self.folder = folder
        run(folder, "init", "--yes")
        with open(f"{folder}/relata-server.yaml", "w", encoding="utf-8") as file:
            file.write(f"egress_allow: 127.0.0.1:{hooks.port}\n")
        os.makedirs(f"{folder}/definitions/site", exist_ok=True)
        with open(f"{folder}/definitions/site/package.yaml", "w", encoding="utf-8") as file:
            file.write(DEFINITIONS)
        run(folder, "user", "add", "admin@example.com", "--name", "Admin", "--admin", stdin="a long enough passphrase\n")
        self.token = run(folder, "token", "create").strip()
        self.server, self.url = serve(folder)

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        if method == "PATCH":
            request.add_header("Content-Type", "application/merge-patch+json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")


def run(folder, *arguments, stdin=""):
    result = subprocess.run([BIN, *arguments], cwd=folder, input=stdin, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"relata {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def wait_for(hooks, count):
    until = time.monotonic() + 120
    while len(hooks.taken) < count and time.monotonic() < until:
        time.sleep(0.05)
    assert len(hooks.taken) == count, f"{len(hooks.taken)} messages came, of {count}"


def by_python(cases):
    def verifies(case):
        try:
            standardwebhooks.Webhook(case["secret"]).verify(base64.b64decode(case["body"]), case["headers"])
            return True
        except Exception:
            return False

    return [verifies(case) for case in cases]


def by_npm(cases):
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    script = os.path.join(os.path.dirname(__file__), "webhooks.cjs")
    out = subprocess.run(["node", script], input=lines, capture_output=True, text=True, check=True).stdout
    return [line == "true" for line in out.split()]


def case(secret, headers, body):
    wanted = {name: headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    return {"secret": secret, "headers": wanted, "body": base64.b64encode(body).decode()}


def changed(body, dice):
    """The same with one byte changed that leaves it UTF-8."""
    at = dice.choice([at for at, byte in enumerate(body) if 0x30 <= byte <= 0x7A])
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def cases_of(taken, secret, other, dice):
    good, bad = [], []
    for headers, body in taken:
        good.append(case(secret, headers, body))
        bad.extend(case(secret, headers, changed(body, dice)) for _ in range(5))
        bad.append(case(secret, headers, body + b" "))
        bad.append(case(secret, {**headers, "webhook-id": headers["webhook-id"] + "x"}, body))
        bad.append(case(secret, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, body))
        bad.append(case(secret, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 3600)}, body))
        bad.append(case(other, headers, body))
    return good, bad


def prove(taken, secrets, other, dice, what):
    for secret in secrets:
        good, bad = cases_of(taken, secret, other, dice)
        for name, verify in (("PyPI", by_python), ("npm", by_npm)):
            is_good, is_bad = verify(good), verify(bad)
            assert len(is_good) == len(good) and all(is_good), f"{name}: {is_good.count(False)} of {len(good)} {what} do not verify"
            assert len(is_bad) == len(bad) and not any(is_bad), f"{name}: {is_bad.count(True)} of {len(bad)} changed {what} verify"
            print(f"{name}: {len(good)} {what} verify, {len(bad)} changed ones do not", flush=True)


def main():
    dice, hooks = random.Random(7), Hooks()
    with tempfile.TemporaryDirectory(prefix="relata-webhooks-") as folder:
        site = Site(folder, hooks)
        try:
            body = {"name": "proof", "url": f"http://127.0.0.1:{hooks.port}/hook", "events": ["order.*"]}
            endpoint = site.ask("POST", "/api/v1/webhooks", body)
            secret, path = endpoint["secret"], f"/api/v1/webhooks/{endpoint['id']}"
            for number in range(MESSAGES // 4):
                made = site.ask("POST", "/api/v1/records/order", {"name": NAMES[number % len(NAMES)]})
                site.ask("PATCH", f"/api/v1/records/order/{made['id']}", {"name": f"{number}"})
                site.ask("DELETE", f"/api/v1/records/order/{made['id']}")
            count = MESSAGES // 4 * 4
            wait_for(hooks, count)
            assert len({headers["webhook-id"] for headers, _ in hooks.taken}) == count, "each message has an id of its own"
            other = "whsec_" + base64.b64encode(bytes(range(32))).decode()
            prove(hooks.taken, [secret], other, dice, "messages")
            # For a day both secrets are good.
            fresh = site.ask("POST", f"{path}/rotate", {})["secret"]
            for _ in range(3):
                site.ask("POST", f"{path}/test", {})
            wait_for(hooks, count + 3)
            prove(hooks.taken[count:], [secret, fresh], other, dice, "messages with two signatures")
            # Once more: the same id and body.
            sent = site.ask("GET", f"{path}/deliveries?limit=1")["data"][0]
            site.ask("POST", f"{path}/deliveries/{sent['id']}/send", {})
            wait_for(hooks, count + 4)
            headers, body = hooks.taken[-1]
            same = [(h, b) for h, b in hooks.taken[:-1] if h["webhook-id"] == headers["webhook-id"]]
            assert len(same) == 1 and same[0][1] == body, "what is sent again is the same"
            prove(hooks.taken[-1:], [fresh], other, dice, "message sent again")
        finally:
            site.server.terminate()
            site.server.wait(30)
            hooks.close()


main()
