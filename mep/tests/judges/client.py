"""A small HTTP client for the judges: JSON in, status, headers and JSON out."""

import json
import os
import time
import urllib.error
import urllib.request

MANAGEMENT = "/mec_service_mgmt/v1"
SUPPORT = "/mec_app_support/v1"
MANAGER = "/mm5/v1"


class Answer:
    """What came back: `status`, `headers` (case-insensitive) and `body` (parsed, or None)."""

    def __init__(self, status, headers, data):
        self.status = status
        self.headers = headers
        self.body = json.loads(data) if data else None


def call(method, path, body=None, headers=None):
    """One request; `path` may be a whole address. An error status is an answer like any other."""
    address = path if path.startswith("http") else os.environ["MEP_URL"] + path
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def configure(instance, configuration):
    """Gives an application instance a configuration through Mm5, and waits for its task."""
    accepted = call("PUT", f"{MANAGER}/applications/{instance}/configuration", configuration)
    if accepted.status != 202:
        raise RuntimeError(f"configuration of {instance}: {accepted.status} {accepted.body}")
    task = accepted.body["taskId"]
    for _ in range(200):
        state = call("GET", f"{MANAGER}/tasks/{task}").body
        if state["state"] not in ("PENDING", "PROCESSING"):
            if state["state"] != "SUCCEEDED":
                raise RuntimeError(f"configuration of {instance}: {state}")
            return
        time.sleep(0.05)
    raise RuntimeError(f"configuration of {instance}: the task does not end")


def announce_end(instance):
    """Lets a manager announce the end of an instance that has subscribed to be told, with a minute of grace."""
    end = {"operationAction": "TERMINATING", "maxGracefulTimeout": 60}
    accepted = call("POST", f"{MANAGER}/applications/{instance}/terminate", end)
    if accepted.status != 202:
        raise RuntimeError(f"termination of {instance}: {accepted.status} {accepted.body}")
    time.sleep(0.3)


def subscribe_to_end(instance, callback="http://127.0.0.1:9/end"):
    """A termination subscription of an instance: its answer."""
    subscription = {
        "subscriptionType": "AppTerminationNotificationSubscription",
        "callbackReference": callback,
        "appInstanceId": instance,
    }
    return call("POST", f"{SUPPORT}/applications/{instance}/subscriptions", subscription)
