"""Makes the Bruno collection docs/bruno from the API's own description: one request per route.

What a request needs beyond the description (example values, a body, what it hands to the next one)
stands in `VALUES`, `BODIES` and `SCRIPTS` below. A value that is not known here becomes a variable
of the environment, which the test of the collection then misses.

    python scripts/bruno_collection.py            writes the collection
    python scripts/bruno_collection.py --check    compares it with what is there
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from bol_service.http.app import describe_api

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "bruno"
METHODS = ("get", "post", "put", "patch", "delete")
# Folders in the order in which they are run: a token first, and the bills that others ask about.
ORDER = ("tokens", "bills", "drafts", "documents", "streams", "events")
LAST = ("witness", "docs", "errors", "health")
# Everything else under /v1/ wants a token.
PUBLIC = re.compile(r"/v1/(?:parties|events)\b|/(?!v1/)")

Json = dict[str, Any]

# Examples: by name of the parameter, or by path and name.
VALUES = {
    "bill": "{{bill}}",
    "container": "{{container}}",
    "shipment": "{{shipment}}",
    "digest": "{{digest}}",
    "party": "{{party}}",
    "stream": "bill%3A{{bill}}",
    "sequence": "0",
    "index": "0",
    "old": "1",
    "new": "2",
    "size": "2",
    "code": "stale_head",
    "platform": "CQGY",
    "/ledger/tile/{name}": "0/000.p/1",
    "/docs/static/{name}": "errors.css",
    "/witness/{name}/checkpoint": "{{witnessed}}",
}
# Query parameters that are switched on; the others stand there to be ticked.
QUERY = {("/v1/documents", "kind"): "shipping-instructions", "limit": "20"}

# Media type: Bruno's name of the body. Path: its content.
KINDS = {
    "application/json": "json",
    "application/jose": "text",
    "text/plain": "text",
    "application/pdf": "text",  # sent as it stands, under its own type
    "application/x-www-form-urlencoded": "form-urlencoded",
}
BODIES = {
    "/v1/events": "{{signedEvent}}",
    "/v1/events:batch": '["{{signedEvent}}"]',
    "/v1/documents": '{"shippingInstructionsReference": "SI-EXAMPLE-1"}',
    "/v1/bills/{bill}/files": "%PDF-1.7 no whole file",
    "/v1/abroad/events": "{{signedEvent}}",
    "/v1/abroad/registrations": '{"platform": "CQGY", "party": "sgterm", "details": {}}',
    "/v1/webhooks": '{"url": "https://erp.example/notices", "kinds": ["RELEASE_ALARM"]}',
    "/witness/add-checkpoint": "old 0\n\n{{checkpoint}}",
    "/oauth/token": (
        "grant_type: client_credentials\n"
        "client_assertion_type: urn:ietf:params:oauth:client-assertion-type:jwt-bearer\n"
        "client_assertion: {{assertion}}"
    ),
}
# What is right beside the plain success: nothing signed yet, no such thing in the demonstration.
STATUSES = {
    "post /v1/events": "in [200, 201, 422]",
    # A demonstration sends nothing to anybody, so it takes no address either.
    "post /v1/webhooks": "in [201, 409, 501]",
    "get /v1/webhooks/{webhook}/deliveries": "in [200, 404]",
    "post /v1/webhooks/{webhook}/deliveries/{number}/replay": "in [202, 404, 501]",
    "delete /v1/webhooks/{webhook}": "in [204, 404]",
    "get /v1/bills/{bill}/files/{digest}": "in [200, 404]",
    "post /v1/bills/{bill}/files": "in [201, 403, 404, 422]",
    # A platform alone exchanges no deliveries.
    "get /v1/abroad/applications": "in [200, 403, 404]",
    "get /v1/abroad/evidence/{platform}/{bill}": "in [200, 404]",
    "get /v1/abroad/streams/{stream}/head": "in [200, 404, 409]",
    "post /v1/abroad/events": "in [200, 201, 409, 422]",
    "post /v1/abroad/registrations": "in [200, 202, 409, 422]",
    "post /witness/add-checkpoint": "in [200, 403, 404, 409, 422]",
    "get /witness/{name}/checkpoint": "in [200, 404]",
    "get /readyz": "in [200, 503]",
}

ASSERTION = """
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const encode = (bytes) => Buffer.from(bytes).toString("base64url");
const read = (name) => fs.readFileSync(path.resolve(bru.cwd(), bru.getEnvVar(name)));
const passphrase = read("passphraseFile").toString().trim();
const key = crypto.createPrivateKey({ key: read("keyFile"), passphrase });
const { crv, kty, x, y } = crypto.createPublicKey(key).export({ format: "jwk" });
const jwk = JSON.stringify(kty === "OKP" ? { crv, kty, x } : { crv, kty, x, y });
const kid = encode(crypto.createHash("sha256").update(jwk).digest());
const alg = kty === "OKP" ? "Ed25519" : "ES256";
const now = Math.floor(Date.now() / 1000);
const party = bru.getEnvVar("party");
const aud = `${bru.getEnvVar("baseUrl")}/oauth/token`;
const claims = { aud, exp: now + 60, iat: now, iss: party, jti: crypto.randomUUID(), sub: party };
const header = { alg, kid, typ: "client-authentication+jwt" };
const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`;
const how = alg === "Ed25519" ? key : { key, dsaEncoding: "ieee-p1363" };
const signature = crypto.sign(alg === "Ed25519" ? null : "sha256", Buffer.from(input), how);
bru.setVar("assertion", `${input}.${encode(signature)}`);
"""
SCRIPTS = {
    "post /oauth/token": {
        "script:pre-request": ASSERTION.strip(),
        "script:post-response": 'bru.setVar("token", res.body.access_token);',
    },
    "get /v1/bills": {
        "script:post-response": (
            "const last = res.body.items[res.body.items.length - 1];\n"
            'if (last) bru.setVar("bill", last.bill);'
        ),
    },
    "get /v1/bills/{bill}": {
        "script:post-response": (
            'if (res.body.shipment) bru.setVar("shipment", res.body.shipment);\n'
            "const [box] = res.body.custody ?? [];\n"
            'if (box) bru.setVar("container", box.container);'
        ),
    },
    "post /v1/documents": {
        "script:post-response": 'bru.setVar("digest", res.body.digest);',
    },
    "get /ledger/checkpoint": {
        "script:post-response": 'bru.setVar("checkpoint", res.body);',
    },
}

README = """# The API as a Bruno collection

One request per route, as plain text, with what it is for. Open this folder with
[Bruno](https://www.usebruno.com/), or run it from the command line against a demonstration:

```sh
make serve   # leave it up, and in another terminal:
cd docs/bruno && npx @usebruno/cli run -r --env demo --sandbox=developer
```

`tokens` signs a client assertion with the party's own key, which is why it wants the developer's
sandbox: it reads the key file that the environment names. The first list of bills names the bill
that the other requests ask about. `signedEvent` is empty: what a party signs is its own decision
([clients.md](../clients.md) shows how), so the platform refuses it.

Made by `scripts/bruno_collection.py`; do not edit the requests.
"""
ENVIRONMENT = {
    "baseUrl": "http://127.0.0.1:8080",
    "party": "xlsc",
    "keyFile": "../../var/demo/keys/xlsc.pem",
    "passphraseFile": "../../var/demo/passphrase",
    "signedEvent": "not.signed.yet",
    "witnessed": "0" * 64,
    "webhook": "01890000-0000-7000-8000-000000000000",
    "number": "1",
}


def made() -> dict[Path, str]:
    """Every file of the collection by its path below the folder."""
    operations = sorted(_operations(), key=lambda found: _rank(found[2]["tags"][0], found))
    settings = {"version": "1", "name": "Electronic bill of lading", "type": "collection"}
    variables = "".join(f"  {name}: {value}\n" for name, value in ENVIRONMENT.items())
    files = {
        Path("bruno.json"): json.dumps(settings, indent=2) + "\n",
        Path("README.md"): README,
        Path("environments/demo.bru"): f"vars {{\n{variables}}}\n",
        Path("collection.bru"): _block("auth", "mode: bearer")
        + "\n"
        + _block("auth:bearer", "token: {{token}}"),
    }
    tags = list(dict.fromkeys(operation["tags"][0] for _, _, operation in operations))
    for number, tag in enumerate(tags, 1):
        files[Path(tag) / "folder.bru"] = _block("meta", f"name: {tag}\nseq: {number}")
    for number, (method, path, operation) in enumerate(operations, 1):
        slug = re.sub(r"[^a-z0-9]+", "-", path.lower().replace("{", "").replace("}", "")).strip("-")
        name = Path(operation["tags"][0]) / f"{method}-{slug}.bru"
        files[name] = _request(number, method, path, operation)
    return files


def _operations() -> list[tuple[str, str, Json]]:
    return [
        (method, path, {**operation, "pathParameters": item.get("parameters", [])})
        for path, item in describe_api()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def _rank(tag: str, found: tuple[str, str, Json]) -> tuple[int, int, str, str, int, str]:
    """The order of running: what others need comes first, what ends things last."""
    method, path, _ = found
    first = ORDER.index(tag) if tag in ORDER else len(ORDER)
    last = LAST.index(tag) + 1 if tag in LAST else 0
    removes = METHODS.index(method) if method == "delete" else 0
    return first, last, tag, "~" if removes else path.split("{")[0], path.count("{"), path + method


def _request(number: int, method: str, path: str, operation: Json) -> str:
    media = next(iter(operation.get("requestBody", {}).get("content", {})), None)
    kind = KINDS[media] if media else "none"
    names = re.findall(r"\{(\w+)\}", path)
    found = {name: VALUES.get(path, VALUES.get(name, f"{{{{{name}}}}}")) for name in names}
    address = re.sub(r"\{(\w+)\}", lambda match: found[match[1]], path)
    query = [
        parameter["name"]
        for parameter in operation.get("parameters", [])
        if parameter.get("in") == "query"
    ]
    chosen = {name: QUERY.get((path, name), QUERY.get(name)) for name in query}
    asked = "&".join(f"{name}={value}" for name, value in chosen.items() if value)
    url = "{{baseUrl}}" + address + (f"?{asked}" if asked else "")
    open_to_all = PUBLIC.match(path) is not None
    blocks = [
        _block("meta", f"name: {method.upper()} {path}\ntype: http\nseq: {number}"),
        _block(
            method,
            f"url: {url}\nbody: {'formUrlEncoded' if kind == 'form-urlencoded' else kind}\n"
            f"auth: {'none' if open_to_all else 'inherit'}",
        ),
    ]
    if query:
        rows = (f"{name}: {value}" if value else f"~{name}:" for name, value in chosen.items())
        blocks.append(_block("params:query", "\n".join(rows)))
    if media and kind == "text":
        blocks.append(_block("headers", f"Content-Type: {media}"))
    if media:
        blocks.append(_block(f"body:{kind}", BODIES.get(path, "{}")))
    status = STATUSES.get(f"{method} {path}", f"eq {_success(operation)}")
    blocks.append(_block("assert", f"res.status: {status}"))
    scripts = SCRIPTS.get(f"{method} {path}", {})
    blocks += [_block(name, script) for name, script in scripts.items()]
    blocks.append(_block("docs", _told(operation, open_to_all=open_to_all)))
    return "\n".join(blocks)


def _success(operation: Json) -> str:
    return min(code for code in operation["responses"] if code.startswith("2"))


def _told(operation: Json, *, open_to_all: bool) -> str:
    who = "Public: no token is needed." if open_to_all else "Needs a token; run `tokens` first."
    described = operation.get("requestBody", {}).get("description")
    lines = [operation["summary"], operation.get("description", ""), who]
    if described:
        lines.append(f"Body: {described}.")
    return "\n\n".join(line.strip() for line in lines if line)


def _block(name: str, content: str) -> str:
    inner = "\n".join(f"  {line}" if line else "" for line in content.splitlines())
    return f"{name} {{\n{inner}\n}}\n"


def stale() -> list[str]:
    """Files that are missing, different, or no longer made."""
    files = made()
    kept = {path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.is_file()}
    differing = {
        path
        for path, text in files.items()
        if path not in kept or (FOLDER / path).read_text(encoding="utf-8") != text
    }
    return sorted(map(str, differing | (kept - files.keys())))


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the Bruno collection of the API.")
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    options = parser.parse_args()
    if options.check:
        found = stale()
        if found:
            print(f"docs/bruno: {', '.join(found)}; run: python scripts/bruno_collection.py")
        return 1 if found else 0
    files = made()
    for path in FOLDER.rglob("*.bru"):
        if path.relative_to(FOLDER) not in files:
            path.unlink()
    for path, text in files.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
