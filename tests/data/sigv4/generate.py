"""Makes botocore.json: requests as botocore serialises and signs them, for tidegate-sigv4's tests.

Run from this folder with a Python that has botocore: `python generate.py > botocore.json`.
The clock and the keys are fixed; no request leaves the process.
"""

import datetime
import json
import os
import sys
from urllib.parse import urlsplit

os.environ["BOTO_DISABLE_CRT"] = "true"  # its clock cannot be fixed

import botocore
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session

NOW = datetime.datetime(2026, 11, 25, 3, 4, 5, tzinfo=datetime.timezone.utc)
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//token+with=signs=="
REGION = "eu-central-1"
ENDPOINT = "https://localhost:8443"
ACCOUNT = "123456789012"
CERTIFICATE = f"arn:aws:iot:{REGION}:{ACCOUNT}:cert/" + "ab" * 32

botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW.replace(tzinfo=None) if remove_tzinfo else NOW

DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})

# name, service, operation, parameters, session token?
OPERATIONS = [
    ("a list without parameters", "iot", "list_certificates", {}, False),
    ("booleans and numbers in the query", "iot", "list_certificates", {"pageSize": 25, "ascendingOrder": True}, False),
    ("a marker with base64 signs", "iot", "list_policies", {"marker": "a+b/c==", "ascendingOrder": False}, False),
    ("an update by query alone", "iot", "update_certificate", {"certificateId": "ab" * 32, "newStatus": "ACTIVE"}, False),
    ("an ARN in the path", "iot", "list_attached_policies", {"target": CERTIFICATE, "recursive": True}, False),
    ("an ARN in a greedy path", "iot", "get_topic_rule_destination",
     {"arn": f"arn:aws:iot:{REGION}:{ACCOUNT}:ruledestination/http/abc"}, False),
    ("a policy name with a plus", "iot", "get_policy", {"policyName": "a+b=c,d.@-_"}, False),
    ("a policy document in the body", "iot", "create_policy", {"policyName": "p", "policyDocument": DOCUMENT}, False),
    ("a target in the body", "iot", "attach_policy", {"policyName": "p", "target": CERTIFICATE}, False),
    ("the principal in a header", "iot", "attach_thing_principal", {"thingName": "t", "principal": CERTIFICATE}, False),
    ("the principal in another header", "iot", "attach_principal_policy",
     {"policyName": "p", "principal": CERTIFICATE}, False),
    ("the policy in a header", "iot", "list_policy_principals", {"policyName": "a+b"}, False),
    ("a CA with query and body", "iot", "register_ca_certificate",
     {"caCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "setAsActive": True,
      "allowAutoRegistration": True}, False),
    ("temporary credentials", "iot", "describe_endpoint", {"endpointType": "iot:Data-ATS"}, True),
    ("a topic in the path", "iot-data", "get_retained_message", {"topic": "a/b c/$x+y*é"}, False),
    ("a publish with a raw body", "iot-data", "publish",
     {"topic": "a//b/../c", "qos": 1, "retain": True, "payload": b"\x00\xff raw", "userProperties": '[{"k":"v"}]'}, False),
    ("a job id that is $next", "iot-jobs-data", "describe_job_execution", {"thingName": "t", "jobId": "$next"}, False),
    ("the query protocol", "sts", "get_caller_identity", {}, False),
    ("json 1.1 with a target header", "acm", "list_certificates", {"MaxItems": 10}, False),
]


class Stop(Exception):
    """Raised before the request would be sent."""


def vector(name, method, url, headers, body):
    parts = urlsplit(url)
    headers = [[n, v.decode() if isinstance(v, bytes) else v] for n, v in headers.items()]
    # Unsigned, and different in every run.
    headers = [[n, "-" if n.lower() in ("user-agent", "amz-sdk-invocation-id") else v] for n, v in headers]
    if not any(n.lower() == "host" for n, _ in headers):
        headers.append(["Host", parts.netloc])
    return {
        "name": name,
        "method": method,
        "path": parts.path,
        "query": parts.query,
        "headers": headers,
        "body_hex": (body or b"").hex(),
    }


def operation(name, service, call, parameters, with_token):
    session = botocore.session.Session()
    client = session.create_client(
        service, region_name=REGION, endpoint_url=ENDPOINT, aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY, aws_session_token=TOKEN if with_token else None)
    seen = []

    def before_send(request, **_):
        seen.append(request)
        raise Stop

    client.meta.events.register("before-send", before_send)
    try:
        getattr(client, call)(**parameters)
    except Stop:
        pass
    request = seen[0]
    body = request.body
    if body is not None and not isinstance(body, (bytes, bytearray)):
        body = body.encode() if isinstance(body, str) else body.read()
    return vector(name, request.method, request.url, request.headers, bytes(body or b""))


def by_hand(name, signer, service, method, path, headers=None, body=b"", **options):
    credentials = botocore.credentials.Credentials(ACCESS_KEY, SECRET_KEY, options.pop("token", None))
    request = botocore.awsrequest.AWSRequest(method=method, url=ENDPOINT + path, headers=headers or {}, data=body)
    signer(credentials, service, REGION, **options).add_auth(request)
    return vector(name, request.method, request.url, request.headers, body)


def main():
    header, query = botocore.auth.SigV4Auth, botocore.auth.SigV4QueryAuth
    vectors = [operation(*one) for one in OPERATIONS]
    vectors += [
        by_hand("an empty path", header, "iot", "GET", ""),
        by_hand("dots and empty segments are normalised", header, "iot", "GET", "/a//b/./c/../d/"),
        by_hand("a path of reserved characters", header, "iot", "GET", "/$next/a:b@c;d=e,f!g'h(i)*+~/%2F%2B%25"),
        by_hand("names without values, repeated names", header, "iot", "GET", "/x?b&a=2&a=1&B=3&a=&A=%20"),
        by_hand("spaces in header values", header, "iot", "GET", "/x", {"X-Amz-Meta": "  a   b \t c ", "My-Header": "é"}),
        by_hand("a Date header", header, "iot", "GET", "/x", {"Date": "any"}),
        by_hand("a content hash header", header, "iot", "POST", "/x",
                {"X-Amz-Content-SHA256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}, b"hello"),
        by_hand("presigned", query, "iot", "GET", "/x?b=2&a=1", expires=300),
        by_hand("presigned for MQTT", query, "iotdevicegateway", "GET", "/mqtt", expires=86400),
        by_hand("presigned, the token signed", query, "iotdevicegateway", "GET", "/mqtt", token=TOKEN, expires=60),
    ]
    json.dump(
        {
            "source": f"botocore {botocore.__version__}, by generate.py",
            "now": int(NOW.timestamp()),
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
            "region": REGION,
            "vectors": vectors,
        },
        sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
