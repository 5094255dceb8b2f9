"""Lets schemathesis ask about records that exist, and remembers which operations answered 2xx.

Half of the requests get real ids in their paths and real ids in their links: invented ones only ever show 404 and 422.
"""

import atexit
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import random
import threading
import time
import urllib.parse
import urllib.request

import schemathesis

URL = os.environ["RELATA_URL"]
TOKEN = os.environ["RELATA_TOKEN"]
SPEC = json.load(open(os.environ["RELATA_SPEC"], encoding="utf-8"))
CHOICE = random.Random(1)
LOCK = threading.Lock()
GOOD = {}
ASKED = {}
# Somebody stands in for at most a year.
FAR = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ask(method, path, body=None, media_type="application/json", prefer=None, token=TOKEN):
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data=data, method=method)
    request.add_header("Authorization", "Bearer " + token)
    if data is not None:
        request.add_header("Content-Type", media_type)
    if prefer:
        request.add_header("Prefer", prefer)
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read() or b"null")


SLUGS = {entity["entity"]: entity["prefix"] for entity in ask("GET", "/api/v1/schema")["data"]}
BY_PREFIX = {prefix: slug for slug, prefix in SLUGS.items()}
IDS = {}


# Who asks must neither be deleted nor deactivated by what is asked.
OWN_TOKEN = next(token["id"] for token in ask("GET", "/api/v1/tokens")["data"] if TOKEN.startswith(token["hint"]))
# Who sells files registrations, and their managers decide about them.
OTHERS = os.environ["RELATA_OTHERS"].split()
for person in ask("GET", "/api/v1/records/user?select=id,email,roles")["data"]:
    role = "sales_manager" if person["email"] == "admin@example.com" else "sales_rep"
    ask("PATCH", f"/api/v1/records/user/{person['id']}", {"roles": person["roles"] + [role]})
PEOPLE = {person["email"]: person["id"] for person in ask("GET", "/api/v1/records/user?select=id,email")["data"]}
ADMIN = PEOPLE["admin@example.com"]
# People who file registrations stay what they are, too.
KEPT = {PEOPLE[f"{name}@example.com"] for name in ("admin", "one", "two")}


def refresh(slug):
    found = ask("GET", f"/api/v1/records/{slug}?select=id&limit=200&sort=id")["data"]
    IDS[slug] = [row["id"] for row in found if row["id"] not in KEPT]
    return IDS[slug]


for known in SLUGS:
    refresh(known)
SCHEMAS = {slug: ask("GET", f"/api/v1/schema/{slug}") for slug in SLUGS}
FILES = [ask("POST", f"/api/v1/files?name=f{n}.txt", b"text", "application/octet-stream")["id"] for n in range(3)]


def confirm_in_a_session():
    """What only a session may do is done once, by the person the script made: everything else is asked with a token."""
    label, host = "POST /api/v1/session/confirm", URL.removeprefix("http://")
    person = {"email": os.environ["RELATA_EMAIL"], "password": os.environ["RELATA_PASSWORD"]}
    connection = http.client.HTTPConnection(host)
    head = {"Origin": URL, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", urllib.parse.urlencode(person), head)
    cookie = connection.getresponse().headers["Set-Cookie"].split(";")[0]
    connection = http.client.HTTPConnection(host)
    head = {"Origin": URL, "Content-Type": "application/json", "Cookie": cookie}
    connection.request("POST", "/api/v1/session/confirm", json.dumps({"password": person["password"]}), head)
    answer = connection.getresponse()
    assert answer.status == 204, f"{label} answered {answer.status}: {answer.read()}"
    ASKED[label] = GOOD[label] = 1


def be_told():
    """Another program's message, signed as it must be. It is sent before all others: whoever signs wrongly must wait."""
    label, host = "POST /api/v1/received/{automation}", URL.removeprefix("http://")
    secret = ask("POST", "/api/v1/automations/site.heard/secret")["secret"]
    body = json.dumps({"customer": {"name": "Heard", "company": "Of them", "phone": "+4930123456"}}).encode()
    message, now = "proof-1", str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, f"{message}.{now}.".encode() + body, hashlib.sha256).digest()).decode()
    head = {"Content-Type": "application/json", "webhook-id": message, "webhook-timestamp": now, "webhook-signature": "v1," + signature}
    connection = http.client.HTTPConnection(host)
    connection.request("POST", "/api/v1/received/site.heard", body, head)
    answer = connection.getresponse()
    assert answer.status == 202, f"{label} answered {answer.status}: {answer.read()}"
    ASKED[label] = GOOD[label] = 1


confirm_in_a_session()
be_told()


def slug_of(path):
    parts = path.split("/")
    return parts[4] if len(parts) > 4 and parts[3] == "records" else None


def pick(slug):
    ids = IDS.get(slug) or refresh(slug)
    if not ids:
        one_more(slug)
        ids = refresh(slug)
    return CHOICE.choice(ids) if ids else None


def deleted(slug):
    """A record that can be restored: nothing links to one that was just made, so nothing keeps it from being deleted."""
    made = one_more(slug)
    return made if made and delete(slug, made) else None


def delete(slug, record):
    try:
        ask("DELETE", f"/api/v1/records/{slug}/{record}")
        return True
    except OSError:
        return False


def example_of(schema_name):
    operation = SPEC["paths"][f"/api/v1/records/{schema_name}"]["post"]
    return json.loads(json.dumps(operation["requestBody"]["content"]["application/json"]["examples"]["example"]["value"]))


def key_value(slug, field):
    """A value for one field of a unique of several: a record it links to, else a number."""
    to = SCHEMAS[slug]["properties"][field]["x-relata"].get("to")
    return (pick(to[0]) if to else None) or str(CHOICE.randrange(1, 10**6))


def real_links(value):
    """Replaces every id in a body by one of a record of the same entity."""
    if isinstance(value, str) and "_" in value and len(value.rsplit("_", 1)[1]) == 13:
        prefix = value.rsplit("_", 1)[0]
        if prefix == "file":
            return CHOICE.choice(FILES)
        if prefix in BY_PREFIX:
            return pick(BY_PREFIX[prefix]) or value
    if isinstance(value, list):
        return [real_links(item) for item in value]
    if isinstance(value, dict):
        return {name: real_links(item) for name, item in value.items()}
    return value


def fresh(slug):
    """The document's example with real links and with words and addresses no record has yet."""
    body = real_links(example_of(slug))
    suffix = str(CHOICE.randrange(10**9))
    if "email" in SCHEMAS[slug]["properties"]:
        # A rule of the package wants a way to reach people.
        body.setdefault("email", "someone@example.com")
    for field, item in body.items():
        if isinstance(item, str) and item.startswith("Example"):
            body[field] = item + " " + suffix
        if isinstance(item, str) and "@example.com" in item:
            body[field] = f"someone{suffix}@example.com"
    return body


def one_more(slug):
    """The id of a record that was made to be asked about, if one can be made."""
    try:
        return ask("POST", f"/api/v1/records/{slug}", fresh(slug), prefer="allow-duplicates")["id"]
    except OSError:
        return None


def job_of(path):
    """A job that can be tried again, or one that can be cancelled: saves of deals make both."""
    wanted = "dead" if path.endswith("/retry") else "ready"
    found = [job["id"] for job in ask("GET", f"/api/v1/jobs?state={wanted}&limit=50")["data"]]
    if not found:
        # It stands there in a moment.
        one_more("deal")
    return CHOICE.choice(found) if found else None


def share_of(slug, record):
    """A share of a record: there is none before somebody makes one."""
    try:
        return ask("POST", f"/api/v1/records/{slug}/{record}/shares", {"role": "user", "may": "read"})["id"]
    except OSError:
        return None


def request_of():
    """A decision that was asked for about a deal that was just made, so that it can be given, handed on or taken back."""
    try:
        deal = one_more("deal")
        return ask("POST", f"/api/v1/records/deal/{deal}/approvals", {"approval": "proof"})["id"] if deal else None
    except OSError:
        return None


def stand_in_of():
    """Somebody who stands in for whoever asks, to be ended."""
    try:
        body = {"stand_in": pick("user"), "until": FAR}
        return ask("POST", "/api/v1/stand-ins", body)["id"]
    except OSError:
        return None


def merge_of(slug):
    """A record that was just made, and a merge into it of another one, that can be undone."""
    record, other = one_more(slug), one_more(slug)
    try:
        merged = ask("POST", f"/api/v1/records/{slug}/{record}/merge", {"from": [other]}) if record and other else None
        return (record, merged["merges"][0]["id"]) if merged else None
    except OSError:
        return None


def endpoint_of(fresh_one):
    """An endpoint that is told about next to nothing; a new one where it will be deleted."""
    try:
        found = [] if fresh_one else [endpoint["id"] for endpoint in ask("GET", "/api/v1/webhooks")["data"]]
        if found:
            return CHOICE.choice(found)
        body = {"name": f"proof-{CHOICE.randrange(10**9)}", "url": "https://example.com/hook", "events": ["team.restored"]}
        return ask("POST", "/api/v1/webhooks", body)["id"]
    except OSError:
        return None


def delivery_of(endpoint):
    """A message to an endpoint."""
    try:
        return ask("POST", f"/api/v1/webhooks/{endpoint}/test")["delivery"]
    except OSError:
        return None


def mail():
    """An e-mail: a test that goes nowhere."""
    found = [one["id"] for one in ask("GET", "/api/v1/mails?limit=20")["data"]]
    try:
        return CHOICE.choice(found) if found else ask("POST", "/api/v1/mails/test", {"to": "proof@example.com"})["id"]
    except OSError:
        return None


def told():
    """A line that whoever asks was told: saves of deals tell it."""
    found = [line["id"] for line in ask("GET", "/api/v1/notifications?limit=20")["data"]]
    if not found:
        # It stands there in a moment.
        one_more("deal")
    return CHOICE.choice(found) if found else None


def account_at(site, token):
    """An account with a website, and a registration of it by whose token that is."""
    account = ask("POST", "/api/v1/records/account", fresh("account") | {"website": site}, prefer="allow-duplicates", token=token)["id"]
    return ask("POST", f"/api/v1/records/account/{account}/registrations", {"registration": "customer"}, token=token)["id"]


def claim_of(path):
    """A registration: to be decided one that two others dispute, else one's own."""
    site = f"https://example{CHOICE.randrange(10**9)}.com/"
    try:
        if not path.endswith("/decide"):
            return account_at(site, TOKEN)
        account_at(site, OTHERS[0])
        return account_at(site, OTHERS[1])
    except OSError:
        return None


def spare(value):
    """The same, but about somebody else and another token."""
    if value == OWN_TOKEN:
        return str(CHOICE.randrange(1, 10**6))
    if isinstance(value, str) and value in KEPT:
        return pick("user")
    if isinstance(value, list):
        return [spare(item) for item in value]
    if isinstance(value, dict):
        return {name: spare(item) for name, item in value.items()}
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    with LOCK:
        path = case.operation.path
        slug = slug_of(path)
        # Ids are taken from answers too: who asks and their token must live on, or everything after is refused.
        if case.path_parameters and case.method.upper() != "GET":
            case.path_parameters = spare(case.path_parameters)
        case.body = spare(case.body)
        if CHOICE.random() < 0.4:
            return
        if case.path_parameters and "id" in case.path_parameters:
            if path.endswith("/files/{id}"):
                case.path_parameters["id"] = CHOICE.choice(FILES)
            elif "/jobs/" in path:
                case.path_parameters["id"] = job_of(path) or case.path_parameters["id"]
            elif "/people/" in path:
                case.path_parameters["id"] = pick("user")
            elif slug:
                found = deleted(slug) if path.endswith("/restore") else pick(slug)
                if found:
                    case.path_parameters["id"] = found
        # Nothing links to a record that was just made, and a change of nothing is always right.
        if slug and path.endswith("/{id}") and case.method.upper() == "DELETE" and CHOICE.random() < 0.4:
            case.path_parameters["id"] = one_more(slug) or case.path_parameters["id"]
        if slug and path.endswith("/{id}") and case.method.upper() == "PATCH" and CHOICE.random() < 0.2:
            case.body = {}
        if "/webhooks/{id}" in path:
            case.path_parameters["id"] = endpoint_of(case.method.upper() == "DELETE") or case.path_parameters["id"]
        if "{delivery}" in path:
            case.path_parameters["delivery"] = delivery_of(case.path_parameters["id"]) or case.path_parameters["delivery"]
        if "/mails/{id}" in path:
            case.path_parameters["id"] = mail() or case.path_parameters["id"]
        if path.endswith("/automations/{id}/secret"):
            case.path_parameters["id"] = "site.heard"
        if path.endswith("/what-if"):
            case.body = {"automation": "site.waits", "days": 1}
        if path.endswith("/mails/test"):
            case.body = {"to": "proof@example.com"}
        if path.endswith("/mails/preview"):
            case.body = {"template": "site.proof", "record": pick("deal") or "", "language": CHOICE.choice(["en", "zh-CN"])}
        if "/notifications/{id}" in path:
            case.path_parameters["id"] = told() or case.path_parameters["id"]
        if "{request}" in path:
            case.path_parameters["request"] = request_of() or case.path_parameters["request"]
        if path.endswith("/stand-ins/{id}"):
            case.path_parameters["id"] = stand_in_of() or case.path_parameters["id"]
        if slug and path.endswith("/shares/{share}"):
            share = share_of(slug, case.path_parameters["id"])
            if share:
                case.path_parameters["share"] = share
        if slug and path.endswith("/merges/{merge}/undo"):
            merged = merge_of(slug)
            if merged:
                case.path_parameters["id"], case.path_parameters["merge"] = merged
        if path.endswith("/access/why") and CHOICE.random() < 0.5:
            case.query = {"record": pick(CHOICE.choice(["deal", "account", "contact"])), "person": ADMIN}
        if case.headers and CHOICE.random() < 0.7:
            for name in ("If-Match", "Idempotency-Key"):
                case.headers.pop(name, None)
        if isinstance(case.body, (dict, list)):
            case.body = real_links(case.body)
        if slug and case.method.upper() == "POST" and path.endswith(f"/records/{slug}") and CHOICE.random() < 0.6:
            case.body = fresh(slug)
        if slug and path.endswith("/{id}/convert") and case.method.upper() == "POST" and CHOICE.random() < 0.6:
            case.path_parameters["id"] = one_more(slug) or case.path_parameters["id"]
            case.body = {"targets": {"deal": None}}
        if slug and path.endswith("/{id}/return"):
            case.path_parameters["id"] = one_more(slug) or case.path_parameters["id"]
            case.body = {"reason": "Somebody else knows them"}
        if path.endswith("/pools/lead/{pool}/claim"):
            try:
                case.body = {"records": [ask("POST", "/api/v1/records/lead", fresh("lead") | {"owner": None}, prefer="allow-duplicates")["id"]]}
            except OSError:
                pass
        if slug and path.endswith("/{id}/registrations") and case.method.upper() == "POST":
            case.path_parameters["id"] = one_more(slug) or case.path_parameters["id"]
            case.body = {"registration": "customer"}
        if "{claim}" in path:
            case.path_parameters["claim"] = claim_of(path) or case.path_parameters["claim"]
        if path.endswith("/decide") and "{claim}" in path:
            case.body = {"decision": "grant", "reason": "Was there first"}
        if slug and path.endswith("/duplicates/apart") and CHOICE.random() < 0.6:
            pair = [one_more(slug), one_more(slug)]
            case.body = {"records": pair} if all(pair) else case.body
        if slug and path.endswith("/{id}/merge") and CHOICE.random() < 0.6:
            other = one_more(slug)
            case.body = {"from": [other]} if other else case.body
        if slug and "/by/" in path and case.method.upper() == "PUT":
            fields = next(unique["fields"] for unique in SCHEMAS[slug]["x-relata"]["uniques"] if f"/by/{unique['name']}/" in path)
            if len(fields) > 1:
                case.path_parameters["value"] = "~".join(key_value(slug, field) for field in fields)
            case.body = {name: item for name, item in real_links(example_of(slug)).items() if f"/by/{name}/" not in path}
        if slug and case.method.upper() == "PATCH" and path.endswith(f"/records/{slug}") and CHOICE.random() < 0.7:
            found = pick(slug)
            case.body = [{"id": found, "set": {}}] if found else []
        if slug and path.endswith("/{id}") and case.method.upper() == "DELETE" and len(IDS.get(slug, [])) < 20:
            refresh(slug)
        if path.endswith("/hand-on"):
            case.body = {"to": pick("user")}
        if path.endswith("/stand-ins") and case.method.upper() == "POST":
            case.body = {"stand_in": pick("user"), "until": FAR}
        for name in ("select", "sort", "filter", "cursor"):
            if case.query and CHOICE.random() < 0.5:
                case.query.pop(name, None)


@schemathesis.hook
def after_call(context, case, response):
    label = f"{case.method.upper()} {case.operation.path}"
    with LOCK:
        ASKED[label] = ASKED.get(label, 0) + 1
        if 200 <= response.status_code < 300:
            GOOD[label] = GOOD.get(label, 0) + 1


@atexit.register
def write_report():
    with open(os.environ["RELATA_REPORT"], "w", encoding="utf-8") as report:
        json.dump({"asked": ASKED, "good": GOOD}, report)
