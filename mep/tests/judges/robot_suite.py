"""Copies ETSI's Robot suite and adds the files it lacks: schemas from ETSI's documents, bodies of our own.

    robot_suite.py SUITE COPY GENERATED

What the suite has stays as it is. The stored copy of the suite that this was written for lacks most schemas and a few
request bodies; those schemas are taken from the documents of MEC 011 V2.1.1, which ETSI wrote by hand and the suite's
own schemas are transcripts of. GENERATED is the directory of the generated crates, which hold these documents.
"""

import json
import pathlib
import shutil
import sys

INSTANCE = "f1e4d448-e277-496b-bf63-98391cfd20fb"
RULE = "e0deee2b-6e50-4f33-ab09-8bf0585025d3"

MANAGEMENT = "mec011-service-management@v2.1.1"
SUPPORT = "mec011-app-support@v2.1.1"

# Directory of the suite, name of the schema's file, document, name of the type, whether it is a list of it.
SCHEMAS = [
    ("APPSAQ", "ServiceInfo", MANAGEMENT, "ServiceInfo", False),
    ("APPSAQ", "ServiceInfoList", MANAGEMENT, "ServiceInfo", True),
    ("SAQ", "ServiceInfo", MANAGEMENT, "ServiceInfo", False),
    ("SAQ", "ServiceInfoList", MANAGEMENT, "ServiceInfo", True),
    ("SRVSUB", "SubscriptionLinkList", MANAGEMENT, "MecServiceMgmtApiSubscriptionLinkList", False),
    ("SRVSUB", "SerAvailabilityNotificationSubscription", MANAGEMENT, "SerAvailabilityNotificationSubscription", False),
    ("APPSAQ", "SerAvailabilityNotificationSubscription", MANAGEMENT, "SerAvailabilityNotificationSubscription", False),
    ("TRANS", "TransportInfoList", MANAGEMENT, "TransportInfo", True),
    ("APPSUB", "SubscriptionsLinkList", SUPPORT, "MecAppSuptApiSubscriptionLinkList", False),
    ("APPSUB", "AppTerminationNotificationSubscription", SUPPORT, "AppTerminationNotificationSubscription", False),
    ("DNS", "DnsRule", SUPPORT, "DnsRule", False),
    ("DNS", "DnsRuleList", SUPPORT, "DnsRule", True),
    ("TRAF", "TrafficRule", SUPPORT, "TrafficRule", False),
    ("TRAF", "TrafficRuleList", SUPPORT, "TrafficRule", True),
    ("TIME", "TimingCaps", SUPPORT, "TimingCaps", False),
    ("TIME", "CurrentTime", SUPPORT, "CurrentTime", False),
]

APPLICATION = {"appName": "sampleAppName", "appInstanceId": INSTANCE, "appDId": "appDId", "isInsByMec": True}
DNS_RULE = {
    "dnsRuleId": RULE,
    "domainName": "service.mec.internal",
    "ipAddressType": "IP_V4",
    "ipAddress": "146.241.7.3",
    "ttl": 60,
    "state": "ACTIVE",
}

BODIES = {
    "REGAPPS/AppInfo": APPLICATION,
    "SRVSUB/AppInfo": APPLICATION,
    "CONFTASK/AppInfo": APPLICATION,
    "DNS/AppInfo": APPLICATION,
    "TRAF/AppInfo": APPLICATION,
    "CONFTASK/AppTerminationConfirmation": {"operationAction": "TERMINATING"},
    "CONFTASK/AppReadyConfirmation": {"indication": "READY"},
    "DNS/DnsRuleUpdate": DNS_RULE,
    "DNS/DnsRuleUpdateError": {**DNS_RULE, "state": "UNKNOWN_VALUE"},
    "MLS/ServiceLivenessUpdate": {"state": "ACTIVE"},
    "SRVSUB/SerAvailabilityNotificationSubscription": {
        "subscriptionType": "SerAvailabilityNotificationSubscription",
        "callbackReference": "http://127.0.0.1/subscribe",
        "_links": {"self": {"href": "http://127.0.0.1/subscribe"}},
    },
}


def schema(generated, document, name, is_list):
    """The named type as a JSON Schema that stands alone."""
    components = json.loads((generated / document / "openapi.json").read_text())["components"]["schemas"]
    reference = {"$ref": f"#/components/schemas/{name}"}
    top = {"type": "array", "items": reference} if is_list else reference
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **top, "components": {"schemas": components}}


def main(suite, copy, generated):
    """Copies what MEC 011 needs of the suite, and adds what is missing."""
    (copy / "MEC011").mkdir(parents=True)
    shutil.copy(suite / "GenericKeywords.robot", copy)
    shutil.copytree(suite / "MEC011" / "SRV", copy / "MEC011" / "SRV", ignore=shutil.ignore_patterns("CAPIF", "LIV"))
    added = []

    def add(directory, kind, name, content):
        path = copy / "MEC011" / "SRV" / directory / kind / name
        if path.parent.parent.is_dir() and not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(content, indent=2))
            added.append(f"{directory}/{kind}/{name}")

    for directory, file, document, name, is_list in SCHEMAS:
        add(directory, "schemas", f"{file}.schema.json", schema(generated, document, name, is_list))
    for place, body in BODIES.items():
        directory, name = place.split("/")
        add(directory, "jsons", f"{name}.json", body)
    print(f"added to the suite, which lacks them: {' '.join(added) or 'nothing'}\n")


if __name__ == "__main__":
    main(*(pathlib.Path(argument) for argument in sys.argv[1:4]))
