"""URLs of MQTT over WebSocket that are signed with AWS Signature Version 4, as AWS's guide makes them."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote


def presigned_path(aws, host, *, service="iotdevicegateway", expires=86400, at=None, region=None, secret=None, token_inside=False):
    """`/mqtt?…` for a connection whose Host header is `host`; the session token is outside the signature, as AWS has it."""
    moment = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region or aws.region}/{service}/aws4_request"
    parameters = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{aws.account.access_key_id}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-SignedHeaders": "host",
    }
    if expires is not None:
        parameters["X-Amz-Expires"] = str(expires)
    token = {"X-Amz-Security-Token": aws.session_token} if aws.session_token else {}
    if token_inside:
        parameters |= token
    query = encoded(parameters)
    canonical = f"GET\n/mqtt\n{query}\nhost:{host}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret or aws.account.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    query += f"&X-Amz-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
    return "/mqtt?" + query + ("" if token_inside or not token else "&" + encoded(token))


def encoded(parameters):
    return "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))
