"""A Robot listener that gives each test case what it presupposes and does not set up itself.

The suite expects an application instance with rules, identifiers that the platform assigned (in its variable files),
a subscription, an announced end. Test cases are not changed; state is prepared before each of them through Mp1 and Mm5,
and the suite's variables are set to what the platform assigned.
"""

import socket

from robot.libraries.BuiltIn import BuiltIn

from client import MANAGEMENT, SUPPORT, announce_end, call, configure, subscribe_to_end
from robot_suite import DNS_RULE, INSTANCE, RULE

TRAFFIC_RULE = {
    "trafficRuleId": RULE,
    "filterType": "FLOW",
    "priority": 1,
    "trafficFilter": [{"srcAddress": ["192.0.2.1"], "dstPort": ["30099"], "protocol": ["TCP"]}],
    "action": "DROP",
    "state": "INACTIVE",
}

CONFIGURATION = {
    "appName": "sampleAppName",
    "dnsRules": [{**DNS_RULE, "state": "INACTIVE"}],
    "trafficRules": [TRAFFIC_RULE],
}

SERVICE = {
    "serName": "serviceName",
    "version": "0.1",
    "state": "ACTIVE",
    "serializer": "XML",
    "transportId": "transportId",
    "livenessInterval": 60,
}


def free_port():
    """A port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def variable(name, value):
    """Sets a variable of the suite that runs."""
    BuiltIn().set_suite_variable("${" + name + "}", value)


def assigned(answer):
    """The identifier at the end of an answer's Location."""
    return answer.headers["Location"].rsplit("/", 1)[-1]


class Preconditions:
    """Robot creates one for each run."""

    ROBOT_LISTENER_API_VERSION = 3

    def start_suite(self, data, result):
        """Variables that must fit the suite's request bodies."""
        # Some suites begin from an instance that a manager has configured, others register it themselves.
        variable("apiName", "mec_service_mgmt" if data.name in ("APPSAQ", "SAQ", "SRVSUB", "TRANS") else "mec_app_support")
        variable("APP_INSTANCE_ID", INSTANCE)
        if data.name == "APPSAQ":
            variable("NEW_SERVICE_NAME", "serviceName")
            variable("SVC_NEW_VERSION", "0.1")
            variable("NOTIFICATION_SERVER_IP", "127.0.0.1")
            variable("NOTIFICATION_SERVER_PORT", str(free_port()))
            variable("NOTIFICATION_SERVER_TIMEOUT", "15")
            variable("NOTIFICATION_SERVER_HTTP_METHOD", "POST")
            variable("NOTIFICATION_SERVER_URI", "/notified")
        elif data.name == "APPSUB":
            variable("APP_TERM_NOTIF_CALLBACK_URI", "https://somewhere.com/mecAppSuptApi/example")
        elif data.name == "REGAPPS":
            variable("APP_NAME", "sampleAppName")

    def start_test(self, data, result):
        """The same state before each test case: the instance is configured, and has not registered."""
        # RESTinstance keeps the headers of earlier test cases, such as a wrong If-Match.
        BuiltIn().get_library_instance("REST").request["headers"] = {"User-Agent": "robot"}
        for instance in (INSTANCE, "appInstanceId", "appInstanceIdWithoutAppDId"):
            call("DELETE", f"{SUPPORT}/registrations/{instance}")
        configure(INSTANCE, CONFIGURATION)
        variable("APP_INSTANCE_ID", INSTANCE)
        name = data.name
        if "_DNS_" in name:
            rule = call("GET", f"{SUPPORT}/applications/{INSTANCE}/dns_rules/{RULE}")
            # The test cases write the value between quotes of JSON.
            variable("VALID_ETAG", rule.headers["ETag"].replace('"', '\\\\"'))
        elif "_APPSUB_" in name:
            variable("SUBSCRIPTION_ID", assigned(subscribe_to_end(INSTANCE)))
        elif "_MSL_" in name:
            service = call("POST", f"{MANAGEMENT}/applications/{INSTANCE}/services", SERVICE)
            variable("URL_SERVICE_MEC_LIVENESS", service.body["_links"]["liveness"]["href"])
        elif name.endswith("_APPSAQ_002_OK"):
            self.subscribe_to_services()

    def subscribe_to_services(self):
        """Somebody who is notified of the service that the test case registers."""
        port = BuiltIn().get_variable_value("${NOTIFICATION_SERVER_PORT}")
        subscription = {
            "subscriptionType": "SerAvailabilityNotificationSubscription",
            "callbackReference": f"http://127.0.0.1:{port}/notified",
        }
        call("POST", f"{MANAGEMENT}/applications/judge-2/subscriptions", subscription)

    def start_user_keyword(self, data, implementation, result):
        """What must be there after the test case's setup: an announced end."""
        test = BuiltIn().get_variable_value("${TEST_NAME}") or ""
        if implementation.name == "Request termination of MEC Application" and test.endswith("_OK"):
            instance = BuiltIn().get_variable_value("${APP_INSTANCE_ID}")
            subscribe_to_end(instance)
            announce_end(instance)

    def end_user_keyword(self, data, implementation, result):
        """The identifier of the subscription that a setup made, for SRVSUB."""
        if implementation.name == "Create a new subscription":
            body = BuiltIn().get_variable_value("${response}")["body"]
            if isinstance(body, dict) and "_links" in body:
                variable("SUBSCRIPTION_ID", body["_links"]["self"]["href"].rsplit("/", 1)[-1])
