"""Tells Schemathesis the rules that an OpenAPI document cannot say, or that only this platform's settings know.

Each entry narrows what Schemathesis takes for valid data in one place, and says why; nothing is taken out of what is
checked, and everything outside is then sent as invalid data, which must be refused.
"""

import os
import uuid

import schemathesis

from purposes import RULE

# The application instance that the paths name.
INSTANCE = os.environ.get("JUDGE_INSTANCE", "judge-1")


def narrow(raw, path, method, name, **rules):
    """Adds rules for one property of an operation's request body, and of nothing else."""
    operation = raw["paths"].get(path, {}).get(method, {})
    for media in operation.get("requestBody", {}).get("content", {}).values():
        media["schema"] = {"allOf": [media["schema"], {"type": "object", "properties": {name: rules}}]}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Rules of single values."""
    # 8.1.2.2: transportId names one of GET /transports, and which these are is the platform's setting (mep.toml).
    services = "/applications/{appInstanceId}/services"
    narrow(raw_schema, services, "post", "transportId", enum=["transportId"])
    narrow(raw_schema, services + "/{serviceId}", "put", "transportId", enum=["transportId"])
    # An integer without a bound is one of 64 bits here.
    narrow(raw_schema, services, "post", "livenessInterval", maximum=2**64 - 1)
    narrow(raw_schema, services + "/{serviceId}", "put", "livenessInterval", maximum=2**64 - 1)
    # 7.1.3.2, 7.1.2.6, 7.1.2.2, 7.1.2.3: an identifier in the body is the one in the path.
    narrow(raw_schema, "/registrations/{appInstanceId}", "put", "appInstanceId", enum=[INSTANCE])
    if "/registrations" in raw_schema["paths"]:
        # The same, and as identifiers are parts of paths, neither empty nor with control characters.
        narrow(raw_schema, "/registrations", "post", "appInstanceId", pattern="^[^\\u0000-\\u001f\\u007f-\\u009f]+$")
        narrow(raw_schema, "/applications/{appInstanceId}/subscriptions", "post", "appInstanceId", enum=[INSTANCE])
    rules = "/applications/{appInstanceId}/"
    narrow(raw_schema, rules + "dns_rules/{dnsRuleId}", "put", "dnsRuleId", enum=[RULE])
    narrow(raw_schema, rules + "traffic_rules/{trafficRuleId}", "put", "trafficRuleId", enum=[RULE])
    # mm5: the longest grace is a setting of the operator (an hour); the document has the most that there can be.
    narrow(raw_schema, "/applications/{appInstanceId}/terminate", "post", "maxGracefulTimeout", maximum=3600)
    for parameter in raw_schema["paths"].get(rules + "configuration", {}).get("delete", {}).get("parameters", []):
        if parameter["name"] == "gracePeriod":
            parameter["schema"]["maximum"] = 3600


@schemathesis.hook
def before_call(context, case, *_):
    """Rules that tie values together."""
    # 8.2.3.3.1: at most one of three parameters; the first is sent.
    exclusive = [name for name in ("ser_instance_id", "ser_name", "ser_category_id") if name in (case.query or {})]
    for name in exclusive[1:]:
        del case.query[name]
    if case.method == "POST" and isinstance(case.body, dict) and case.meta and case.meta.phase.name == "stateful":
        links_lead_on(case)
    # mm5: the same Idempotency-Key with another body is 422 on purpose, so each request has a key of its own.
    if case.headers and case.headers.get("Idempotency-Key"):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


def links_lead_on(case):
    """Makes what a created resource's links say of it true: they lead to more than each one has."""
    # 8.1.2.2: a service has a liveness resource only if its application offers heartbeats.
    if case.operation.path == "/applications/{appInstanceId}/services":
        case.body.setdefault("livenessInterval", 60)
    # 7.2.13: who registers is found under its own identifier, and the paths here have one.
    identifier = case.body.get("appInstanceId", INSTANCE)
    if case.operation.path == "/registrations" and isinstance(identifier, str) and identifier.isprintable() and identifier:
        case.body["appInstanceId"] = INSTANCE
