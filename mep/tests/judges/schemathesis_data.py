"""Makes what Schemathesis cannot make for itself, and prints its configuration with the identifiers.

    schemathesis_data.py DOCUMENT CONFIGURATION

Needs MEP_URL, and a platform with mep.toml's content.
"""

import pathlib
import sys
import time
import urllib.parse

from client import MANAGEMENT, call, configure
from purposes import DNS_RULE, RULE, SERVICE, TRAFFIC_RULE, subscription

INSTANCE = "judge-1"


def dead_letter():
    """A notification that was given up: its subscription and its identifier, as administration names them."""
    nobody = subscription("SerAvailabilityNotificationSubscription", "http://127.0.0.1:9/nobody")
    call("POST", f"{MANAGEMENT}/applications/judge-2/subscriptions", nobody)
    of = f"{MANAGEMENT}/applications/judge-2/services"
    for _ in range(3):
        service = call("POST", of, SERVICE)
        call("DELETE", f"{of}/{service.body['serInstanceId']}")
    for _ in range(300):
        letters = call("GET", "/administration/v1/dead-letters").body["items"]
        if letters:
            return urllib.parse.quote(letters[0]["subscription"], safe=""), letters[0]["id"]
        time.sleep(0.1)
    raise RuntimeError("no notification is given up")


def main(document, configuration):
    """The configuration with what this document's operations need."""
    names = {"appInstanceId": INSTANCE}
    if document == "mec011-app-support":
        rules = {"dnsRules": [DNS_RULE], "trafficRules": [TRAFFIC_RULE]}
        configure(INSTANCE, {"appName": "judge one", **rules})
        names |= {"dnsRuleId": RULE, "trafficRuleId": RULE}
    elif document == "administration":
        names["subscription"], names["id"] = dead_letter()
    print(configuration.read_text() + "[parameters]")
    for name, value in names.items():
        print(f'"path.{name}" = "{value}"')


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
