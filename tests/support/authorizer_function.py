"""The function behind a custom authorizer, as a program: the event on standard input, the answer on standard output.

The user name before its question mark says what it does: `hang`, `huge`, `garbage`, `exit`, `deny`, …; all others may do what
the user `anybody` of docs/authorizers.md may.
"""

import base64
import json
import sys
import time

event = json.load(sys.stdin)
mqtt = event["protocolData"].get("mqtt", {})
user = mqtt.get("username", "").split("?")[0]
password = base64.b64decode(mqtt.get("password", "")).decode()

if user == "hang":
    time.sleep(600)
if user == "huge":
    sys.stdout.write("x" * 10_000_000)
    sys.exit()
if user == "garbage":
    sys.stdout.write("no JSON")
    sys.exit()
if user == "exit":
    sys.exit(3)

answer = {
    "isAuthenticated": True,
    "principalId": "anybody",
    "disconnectAfterInSeconds": 86400,
    "refreshAfterInSeconds": 86400,
    "policyDocuments": [
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
                {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": "arn:aws:iot:*:*:topic/own/${iot:ClientId}/*"},
                {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "arn:aws:iot:*:*:topicfilter/own/${iot:ClientId}/*"},
            ],
        }
    ],
}
lies = {
    "deny": {"isAuthenticated": False},
    "wrong-principal": {"principalId": "not-alphanumeric"},
    "wrong-interval": {"refreshAfterInSeconds": 100000},
    "wrong-policy": {"policyDocuments": ["{}"]},
    "many-policies": {"policyDocuments": answer["policyDocuments"] * 11},
    "no-connect": {"policyDocuments": []},
    "wrong-type": {"isAuthenticated": "yes"},
}
answer |= lies.get(user, {})
if password == "wrong":
    answer["isAuthenticated"] = False
json.dump(answer, sys.stdout)
