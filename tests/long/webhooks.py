"""What the program sends is verified by the public `standardwebhooks` libraries, and what they sign is taken; what somebody
changed is not.

Records are made, changed and deleted in a real server, a receiver takes its messages as they come over the line. Then each is
shown to the library of PyPI and to that of npm: as it came, with each of some bytes changed, with another id, time and secret.
The other way, both libraries sign messages that an automation takes: each becomes one record, and none of the changed ones does.
"""

import base64
import datetime
import http.client
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
---
kind: entity
id: site.sale
fields:
  code: {type: text, required: true, unique: true}
  name: {type: text}
---
kind: automation
id: taken
for: site.sale
trigger: {event: received, match: {code: sale.code}, values: {name: sale.name}}
run_as: [seller]
per_minute: 100000
steps: [{do: set, values: {name: "=name"}}]
---
kind: role
id: seller
permissions: {sale: {read: true, create: true, update: true}}
"""
# A library signs, and what it signed is taken.
TAKEN = 202
NOT_SIGNED = 401


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


def signed_by_python(cases):
    def signature(case):
        at = datetime.datetime.fromtimestamp(case["timestamp"], tz=datetime.timezone.utc)
        return standardwebhooks.Webhook(case["secret"]).sign(case["id"], at, base64.b64decode(case["body"]).decode())

    return [signature(case) for case in cases]


def signed_by_npm(cases):
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    script = os.path.join(os.path.dirname(__file__), "webhooks.cjs")
    out = subprocess.run(["node", script, "sign"], input=lines, capture_output=True, text=True, check=True).stdout
    return out.split()


def send(site, path, headers, body, number):
    """Each from an address of its own, for an address that sends what is not signed has to wait. Gives status, headers and body."""
    host, port = site.url.removeprefix("http://").split(":")
    source = f"127.{1 + number // 65536}.{number // 256 % 256}.{number % 256}"
    connection = http.client.HTTPConnection(host, int(port), timeout=60, source_address=(source, 0))
    connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def signed_cases(secret, count, which):
    cases = []
    for number in range(count):
        sale = {"sale": {"code": f"{which}-{number}", "name": NAMES[number % len(NAMES)]}}
        body = json.dumps(sale, ensure_ascii=number % 2 == 0).encode()
        cases.append({"secret": secret, "id": f"msg_{which}{number}", "timestamp": int(time.time()), "body": base64.b64encode(body).decode()})
    return cases


def prove_taken(site, secrets, other, dice, count):
    """What the libraries sign becomes a record, once; what was changed on the way, or signed with another secret, becomes none."""
    path, sources = "/api/v1/received/site.taken", iter(range(1, 1 << 24))
    for round, secret in enumerate(secrets):
        for name, sign in (("PyPI", signed_by_python), ("npm", signed_by_npm)):
            which, refused = f"{name}{round}", 0
            cases = signed_cases(secret, count, which)
            strangers = sign([{**case, "secret": other} for case in cases])
            for case, signature, stranger in zip(cases, sign(cases), strangers, strict=True):
                body = base64.b64decode(case["body"])
                good = {"webhook-id": case["id"], "webhook-timestamp": str(case["timestamp"]), "webhook-signature": signature}
                bad = [
                    (good, changed(body, dice)),
                    (good, body + b" "),
                    ({**good, "webhook-id": case["id"] + "x"}, body),
                    ({**good, "webhook-timestamp": str(case["timestamp"] - 1)}, body),
                    ({**good, "webhook-signature": stranger}, body),
                ]
                for headers, changed_body in bad:
                    status, _, text = send(site, path, headers, changed_body, next(sources))
                    assert status == NOT_SIGNED, f"{name}: a changed message is answered with {status}: {text.decode()}"
                    refused += 1
                # One more signature that means nothing to this secret, as senders have them while they change theirs.
                for headers in (good, {**good, "webhook-signature": f"{stranger} {signature}"}):
                    status, answered, text = send(site, path, headers, body, next(sources))
                    assert status == TAKEN, f"{name}: a message that it signed is answered with {status}: {text.decode()}"
                    is_again = headers is not good
                    assert (answered.get("Idempotent-Replayed") == "true") == is_again, f"{name}: {case['id']} counts once"
            print(f"{name}: {count} messages it signed are taken, each once, {refused} changed ones are not", flush=True)
    expected = {}
    for round in range(len(secrets)):
        for name in ("PyPI", "npm"):
            expected.update({f"{name}{round}-{number}": NAMES[number % len(NAMES)] for number in range(count)})
    found, after = {}, ""
    while after is not None:
        page = site.ask("GET", f"/api/v1/records/sale?limit=200{after}")
        for record in page["data"]:
            assert record["code"] not in found, f"{record['code']} is there twice"
            found[record["code"]] = record["name"]
        after = f"&cursor={page['next_cursor']}" if page.get("next_cursor") else None
    assert found == expected, f"{len(found)} records, of {len(expected)}; what differs: {sorted(found.items() ^ expected.items())[:4]}"


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
            # The other way. The secret before counts for a day, too.
            former = site.ask("POST", "/api/v1/automations/site.taken/secret", {})["secret"]
            newer = site.ask("POST", "/api/v1/automations/site.taken/secret", {})["secret"]
            prove_taken(site, [newer, former], other, dice, max(1, MESSAGES // 8))
        finally:
            site.server.terminate()
            site.server.wait(30)
            hooks.close()


main()
