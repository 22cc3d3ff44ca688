"""Bad input to the API: requests that nobody signed, wrong paths and bodies, strangers."""

import json
from urllib.parse import quote

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.hostile import EVERYTHING, JSON, MIB, hostile, registered  # noqa: F401, F811: fixtures among them
from support.mqtt import context
from support.raw import Api, bare, connect, plain, publish, read_packet


@pytest.fixture(scope="module")
def api(hostile):
    yield (api := Api(hostile))
    assert api.call("GET", "/policies")[0] == 200


AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=AKIAAAAAAAAAAAAAAAAA/20250101/us-east-1/iot/aws4_request, SignedHeaders=host, Signature="


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ("GET /policies HTTP/1.1\r\nHost: x\r\n\r\n", 403),
        ("GET /policies HTTP/1.0\r\n\r\n", 403),
        ("GET /policies HTTP/1.1\r\n\r\n", 403),
        ("GET http://evil.example/policies HTTP/1.1\r\nHost: x\r\n\r\n", 403),
        ("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", 403),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 403),
        ("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: \r\n\r\n", 403),
        ("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256\r\n\r\n", 403),
        (f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 {'Credential=,' * 4000}\r\n\r\n", 403),
        (f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}{'0' * 64}\r\n\r\n", 403),
        (f"GET / HTTP/1.1\r\nHost: x\r\nX-Amz-Date: 99999999T999999Z\r\nAuthorization: {AUTHORIZATION}{'0' * 64}\r\n\r\n", 403),
        ("GET / HTTP/1.1\r\n" + "".join(f"X-{n}: y\r\n" for n in range(200)) + "\r\n", 431),
        (f"GET / HTTP/1.1\r\nX: {'y' * MIB}\r\n\r\n", 431),
        (f"GET /{'a' * 100_000} HTTP/1.1\r\nHost: x\r\n\r\n", (414, 431)),
        (f"POST /policies/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n{'x' * 2_000_000}", 403),
        ("POST /policies/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 403),
        ("POST /policies/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST /policies/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
        ("GET /\r\n\r\n", 400),
        ("\x16\x03\x01 garbage \xff\r\n\r\n", 400),
    ],
    ids=lambda value: value[:40].strip() if isinstance(value, str) else str(value),
)
def test_requests_that_nobody_signed_are_refused(api, data, status):
    # The long target: 431 when the head outgrows its buffer before the first line is whole.
    assert api.raw(data.encode("latin-1"))[0] in (status if isinstance(status, tuple) else (status,))


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/../policies", 404), ("/policies/%2e%2e/policies", 404), ("//policies", 404), ("/policies/", 404), ("/policies/%00", 400),
        ("/policies/a%2Fb", 400), ("/policies/%ff%fe", 400), ("/policies/%zz", 400), ("/policies/%", 400), (f"/policies/{'a' * 5000}", 400),
        ("/policies/a%0d%0aX:y", 400), ("/policies/a+=,.@-_b", 404), ("/certificates/../../etc/passwd", 404),
        (f"/certificates/{'0' * 64}", 404), (f"/certificates/{'g' * 64}", 400), (f"/certificates/0x{'0' * 62}", 400),
        ("/policies?" + "&".join(f"a{n}=b" for n in range(5000)), 403), ("/policies?pageSize=99999999999999999999", 400),
        ("/policies?pageSize=-1", 400), ("/policies?pageSize=1e3", 400), ("/policies?marker=%ff", 400), ("/policies?marker=zzzz", 400),
        ("/policies?isAscendingOrder=maybe", 400),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_paths_and_queries_that_are_wrong_get_an_answer(api, target, status):
    found, body = api.call("GET", target)
    assert found == status and json.loads(body)["message"]


def tagged(value):
    return json.dumps({"policyDocument": EVERYTHING, "tags": value})


@pytest.mark.parametrize(
    "body",
    [
        "[" * 10_000 + "]" * 10_000, '{"policyDocument":' * 10_000 + "1" + "}" * 10_000, '{"policyDocument":1e99999}',
        '{"policyDocument":' + "9" * 100_000 + "}", '{"policyDocument":"\\ud800"}', '{"policyDocument":"{}","policyDocument":""}',
        "\ufeff{}", "[]", '"x"', "{", *(f'{{"policyDocument":{value}}}' for value in ("null", "1", "true", "[]", "{}", '"x"', '"{}"')),
        "{" + ",".join(f'"{n}":1' for n in range(80_000)) + "}", json.dumps({"policyDocument": "{" + ",".join(f'"{n}":1' for n in range(40_000)) + "}"}),
        json.dumps({"policyDocument": "[" * 1000}), tagged(1), tagged([1]), tagged([{"Key": 5}]),
    ],
    ids=lambda body: body[:30],
)  # fmt: skip
def test_bodies_that_are_wrong_are_invalid_requests(api, body):
    status, answer = api.call("POST", "/policies/never", body, headers=JSON)
    assert status == 400 and json.loads(answer)["message"]
    assert api.call("GET", "/policies/never")[0] == 404


def test_bodies_have_a_limit(api):
    assert api.call("POST", "/policies/never", "x" * 2_000_000)[0] == 413
    huge = api.signed("POST", "/policies/never", b"{}").replace(b"Content-Length: 2", b"Content-Length: 10000000000000")
    assert api.raw(huge)[0] == 413
    assert api.call("POST", "/policies/never", "<a/>", headers=[("Content-Type", "text/xml")])[0] == 415


PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "pem",
    ["", "x", PEM.format("MIIB") * 1000, PEM.format("A" * 60_000)],
    ids=["nothing", "x", "a thousand", "60000 letters"],
)
def test_what_is_no_certificate_is_not_registered(api, pem):
    for path in ("/certificate/register", "/certificate/register-no-ca"):
        status, answer = api.call("POST", path, json.dumps({"certificatePem": pem}), headers=JSON)
        assert status == 400 and json.loads(answer)["message"]


def test_signatures_count_for_their_request_only(api):
    good = api.signed("GET", "/policies")
    assert api.raw(good)[0] == 200
    for old, new in ((b"GET /policies", b"GET /certificates"), (b"X-Amz-Date: 2", b"X-Amz-Date: 1"), (b"Signature=", b"Signature=0")):
        assert old in good
        assert api.raw(good.replace(old, new))[0] == 403
    for service in ("s3", "x"):
        assert api.call("GET", "/policies", service=service)[0] == 403
    asked = AWSRequest("GET", api.url + "/policies")
    keys = Credentials(api.account.access_key_id, api.account.secret_access_key)
    SigV4QueryAuth(keys, "iot", api.region, expires=60).add_auth(asked)
    target = asked.url.removeprefix(api.url)
    head = f" HTTP/1.1\r\nHost: {api.host}:{api.port}\r\n\r\n"
    assert api.raw(f"GET {target}{head}".encode())[0] == 200
    assert api.raw(f"GET {target.replace('Expires=60', 'Expires=61')}{head}".encode())[0] == 403


def test_accounts_do_not_see_each_other(hostile, api, registered):
    ca, device = registered
    other = Api(hostile, hostile.create_account())
    arn = json.loads(api.call("GET", f"/certificates/{device.certificate_id}")[1])["certificateDescription"]["certificateArn"]
    assert other.call("POST", "/policies/mine", json.dumps({"policyDocument": EVERYTHING}), headers=JSON)[0] == 200
    for method, target, body, status in [
        ("GET", f"/certificates/{device.certificate_id}", "", 404),
        ("PUT", f"/certificates/{device.certificate_id}?newStatus=INACTIVE", "", 404),
        ("DELETE", f"/certificates/{device.certificate_id}", "", 404),
        ("GET", f"/cacertificate/{ca.certificate_id}", "", 404),
        ("PUT", f"/cacertificate/{ca.certificate_id}?newStatus=INACTIVE", "", 404),
        ("GET", "/policies/everything", "", 404),
        ("PUT", "/target-policies/mine", arn, 400),
        ("PUT", "/target-policies/mine", arn.replace(api.account.account_id, other.account.account_id), 404),
        ("PUT", "/target-policies/mine", "arn:" * 500, 400),
        ("PUT", "/target-policies/mine", "arn:aws:s3:::bucket", 400),
        ("POST", f"/attached-policies/{quote(arn, safe='')}", "", 400),
    ]:
        body = body and json.dumps({"target": body})
        assert other.call(method, target, body, headers=JSON if body else ())[0] == status, (method, target)


def test_policies_of_many_wildcards_do_not_stall(hostile, api, registered):
    def done(method, path, **body):
        status, answer = api.call(method, path, json.dumps(body), headers=JSON)
        assert status == 200, answer
        return json.loads(answer or "{}")

    device = registered[0].sign("stars")
    pem = device.certificate.read_text()
    arn = done("POST", "/certificate/register", certificatePem=pem, status="ACTIVE")["certificateArn"]
    resources = {"stars": "*" + "a*" * 900 + "b", "holes": "*" + "?a*" * 600 + "b", "names": "*" + "${iot:ClientId}*" * 100 + "b"}
    for name, resource in resources.items():
        allow, deny = ({"Effect": e, "Action": "iot:*", "Resource": r} for e, r in (("Allow", "*"), ("Deny", resource)))
        done("POST", f"/policies/{name}", policyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]}))
        done("PUT", f"/target-policies/{name}", target=arn)
    with context(hostile, device).wrap_socket(plain(hostile.port), server_hostname=hostile.host) as sock:
        sock.sendall(connect("a" * 100, 5))
        assert read_packet(sock)[1][1] == 0
        for end, code in (("c", 0x10), ("b", 0x87)):
            sock.sendall(publish("a" * 4000 + end, qos=1, version=5))
            assert bare(read_packet(sock)) == (0x40, b"\0\1" + bytes([code]))
