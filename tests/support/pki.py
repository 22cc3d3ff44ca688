"""Keys and certificates as people make them: with the `openssl` command."""

import hashlib
import ssl
import subprocess
import uuid
from pathlib import Path


def openssl(*arguments):
    """`openssl …`"""
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def certificate_id(path):
    """SHA-256 of the DER, 64 hexadecimal digits."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(Path(path).read_text())).hexdigest()


def new_key(path, kind="ec"):
    """A private key: `ec` (P-256), `P-384`, `P-521` or `rsa` (2048)."""
    if kind == "rsa":
        openssl("genrsa", "-out", path, "2048")
    else:
        openssl("ecparam", "-genkey", "-noout", "-name", {"ec": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}[kind], "-out", path)


class Device:
    """A key and a certificate, and the two in files."""

    def __init__(self, certificate, key):
        self.certificate, self.key = Path(certificate), Path(key)

    @property
    def certificate_id(self):
        return certificate_id(self.certificate)


class Ca:
    """A certificate authority of somebody's own."""

    def __init__(self, directory, common_name="Test CA", kind="ec", days=365):
        self.directory, self.common_name = Path(directory), common_name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.key, self.certificate = self.directory / "ca.key", self.directory / "ca.pem"
        new_key(self.key, kind)
        openssl(
            "req", "-x509", "-new", "-key", self.key, "-sha256", "-days", days, "-subj", f"/O=Tidegate tests/CN={common_name}",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", self.certificate,
        )  # fmt: skip

    @property
    def certificate_id(self):
        return certificate_id(self.certificate)

    def sign(self, common_name, kind="ec", *, key=None, days=30, extensions=None, dates=None):
        """A device certificate; X.509 v1 unless extensions are given, as `openssl x509 -req` makes it."""
        base = self.directory / uuid.uuid4().hex
        if key is None:
            key = base.with_suffix(".key")
            new_key(key, kind)
        request, certificate = base.with_suffix(".csr"), base.with_suffix(".pem")
        openssl("req", "-new", "-key", key, "-subj", f"/O=Tidegate tests/CN={common_name}", "-out", request)
        if dates:  # openssl x509 takes no dates, openssl ca does
            self._sign_with_dates(request, certificate, *dates)
            return Device(certificate, key)
        more = []
        if extensions:
            file = base.with_suffix(".ext")
            file.write_text(extensions)
            more = ["-extfile", file]
        openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-set_serial", f"0x{uuid.uuid4().hex[:16]}",
            "-sha256", "-days", days, "-out", certificate, *more,
        )  # fmt: skip
        return Device(certificate, key)

    def _sign_with_dates(self, request, certificate, start, end):
        base = self.directory / "ca.db"
        base.mkdir(exist_ok=True)
        (base / "index.txt").write_text("")
        config = base / "openssl.cnf"
        config.write_text(
            "[ca]\ndefault_ca=d\n[d]\n"
            f"database={base}/index.txt\nnew_certs_dir={base}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
            "[p]\norganizationName=optional\ncommonName=supplied\n"
        )
        openssl(
            "ca", "-batch", "-config", config, "-cert", self.certificate, "-keyfile", self.key, "-in", request,
            "-startdate", start, "-enddate", end, "-notext", "-out", certificate,
        )  # fmt: skip

    def verification(self, registration_code):
        """The verification certificate: signed by this CA, common name = the registration code."""
        return self.sign(registration_code).certificate
