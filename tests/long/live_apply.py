"""A running server, 50 requests a second on one entity, and definitions that change under it."""

import json
import os
import random
import re
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

BIN = os.environ["RELATA_BIN"]
PLAIN = """kind: entity
id: site.ticket
label: {en: Ticket, zh-CN: 工单, zh-TW: 工單}
fields:
  subject: {type: text, required: true, search: true}
  severity: {type: select, options: [{key: low}, {key: high}], default: low}
  effort: {type: decimal, scale: 2}
  solved: {type: boolean, default: false}
"""
WITH_FIELD = PLAIN + "  channel: {type: text, max: 40, label: {en: Channel, zh-CN: 渠道}}\n"
RENAMED = PLAIN.replace("effort: {type: decimal, scale: 2}", "hours: {was: effort, type: decimal, scale: 2}") + (
    "  channel: {type: text, max: 40, label: {en: Channel, zh-CN: 渠道}}\n"
)


def main():
    with tempfile.TemporaryDirectory(prefix="relata-live-") as folder:
        run(folder, "init", "--template", "crm", "--yes")
        os.makedirs(f"{folder}/definitions/site")
        write(folder, "package.yaml", "kind: package\nid: site\nversion: 1.0.0\ndepends: [crm]\n")
        write(folder, "ticket.yaml", PLAIN)
        server = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0"], cwd=folder, stderr=subprocess.PIPE, text=True)
        try:
            base = address(server)
            run(folder, "user", "add", "admin@example.com", "--name", "Admin", "--admin", stdin="a long enough passphrase\n")
            token = run(folder, "token", "create").strip()
            show(folder, base, token)
        finally:
            server.terminate()
            server.wait(20)


def show(folder, base, token):
    records = "/api/v1/records/ticket"
    for path in (records, f"{records}?limit=1", "/api/v1/schema/ticket"):
        call(base, token, path)
    assert "/api/v1/records/ticket" in call(base, token, "/api/v1/openapi.json")["paths"]
    client = Client(base, token)
    client.start()
    time.sleep(2)
    marked = [call(base, token, records, {"subject": f"kept {n}", "effort": f"{n}.25"})["id"] for n in range(20)]

    write(folder, "ticket.yaml", WITH_FIELD)
    print(run(folder, "plan"))
    begin = time.monotonic()
    run(folder, "apply", "--yes")
    applied = time.monotonic() - begin
    with sqlite3.connect(f"file:{folder}/relata-data/relata.db?mode=ro", uri=True) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(e_ticket)")]
    assert "channel" in columns, columns
    created = call(base, token, records, {"subject": "new field", "channel": "phone"})
    assert created["channel"] == "phone", created
    document = json.dumps(call(base, token, "/api/v1/openapi.json"))
    assert '"channel"' in document
    session = sign_in(folder, base)
    assert 'name="channel"' in page(base, session, "/records/ticket/new")
    assert "Channel" in page(base, session, "/records/ticket")
    elapsed = time.monotonic() - begin
    print(f"apply took {applied:.3f} s; table, REST, OpenAPI, form and list had the field {elapsed:.3f} s after it began")
    assert elapsed < 1.0, elapsed
    assert "No changes" in run(folder, "plan")

    write(folder, "ticket.yaml", RENAMED)
    client.rename = True
    run(folder, "apply", "--yes")
    assert "No changes" in run(folder, "plan")
    for number, record in enumerate(marked):
        got = call(base, token, f"{records}/{record}")
        assert got["hours"] == f"{number}.25", got
    time.sleep(2)
    client.stop()
    print(f"{client.sent} requests beside it in {client.seconds:.1f} s, {client.sent / client.seconds:.0f}/s, all 2xx")
    assert not client.faults, client.faults[:3]
    assert client.sent / client.seconds > 45
    print("live apply: all held")


class Client(threading.Thread):
    """Lists, reads, creates and updates, 50 a second, for as long as it is left to."""

    def __init__(self, base, token):
        super().__init__(daemon=True)
        self.base, self.token, self.sent, self.faults, self.seconds, self.rename = base, token, 0, [], 0.0, False
        self.over = threading.Event()

    def run(self):
        begin, dice, ids = time.monotonic(), random.Random(7), []
        while not self.over.is_set():
            kind = dice.choice(["list", "read", "create", "update"])
            records = "/api/v1/records/ticket"
            try:
                if kind == "create" or not ids:
                    ids.append(call(self.base, self.token, records, {"subject": f"n {self.sent}", "severity": "high"})["id"])
                elif kind == "list":
                    call(self.base, self.token, f"{records}?filter=severity='high'&sort=-created_at&limit=20".replace("'", "%27"))
                elif kind == "read":
                    call(self.base, self.token, f"{records}/{dice.choice(ids)}")
                else:
                    call(self.base, self.token, f"{records}/{dice.choice(ids)}", {"solved": dice.choice([True, False])}, "PATCH")
            except (urllib.error.HTTPError, OSError) as fault:
                body = fault.read().decode() if isinstance(fault, urllib.error.HTTPError) else ""
                self.faults.append((kind, str(fault), body))
            self.sent += 1
            time.sleep(max(0.0, begin + self.sent / 50 - time.monotonic()))
        self.seconds = time.monotonic() - begin

    def stop(self):
        self.over.set()
        self.join(10)


def sign_in(folder, base):
    """A session cookie by a one-time link."""
    path = json.loads(run(folder, "--json", "user", "link", "admin@example.com"))["path"]
    opener = urllib.request.build_opener(NoRedirect())
    token = re.search(r"token=([^&]+)", path).group(1)
    request = urllib.request.Request(f"{base}{path.split('?')[0]}", data=f"token={token}".encode(), headers={"Origin": base})
    try:
        answer = opener.open(request)
    except urllib.error.HTTPError as redirect:
        answer = redirect
    return answer.headers["set-cookie"].split(";")[0]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def page(base, session, path):
    with urllib.request.urlopen(urllib.request.Request(base + path, headers={"Cookie": session}), timeout=10) as answer:
        return answer.read().decode()


def call(base, token, path, body=None, method=None):
    request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {token}"}, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def write(folder, name, text):
    with open(f"{folder}/definitions/site/{name}", "w", encoding="utf-8") as file:
        file.write(text)


def run(folder, *arguments, stdin=""):
    result = subprocess.run([BIN, *arguments], cwd=folder, input=stdin, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"relata {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def address(server):
    for line in server.stderr:
        if "serves http" in line:
            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            return line.split("serves ", 1)[1].strip().rstrip("/")
    raise SystemExit("the server did not start")


main()
