#!/bin/sh
# Certificates and requests made by OpenSSL (3.0), to be read by the tests of `tidegate-pki`. The keys are thrown away.
# Run in an empty directory, then copy the *.pem here; the tests read names and algorithms, never fixed digests or dates.
set -eu
keys=$(mktemp -d); trap 'rm -rf "$keys"' EXIT
days=36500
subject='/C=DE/ST=Berlin/O=Example+OU=Fleet/OU=Lab/CN=device-7/serialNumber=SN-42/title=Sensor/SN=Doe/GN=Jo/initials=JD/dnQualifier=q1/pseudonym=p1/generationQualifier=III'

rsa()  { openssl genrsa -out "$keys/$1.key" "${2:-2048}" 2>/dev/null; }
ec()   { openssl ecparam -name "$2" -genkey -noout -out "$keys/$1.key"; }
pss()  { openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$keys/$1.key" 2>/dev/null; }

rsa ca; ec ca_p256 prime256v1; ec ca_p384 secp384r1; ec ca_p521 secp521r1; pss ca_pss
# As AWS's guide makes them: `openssl req -x509`.
for ca in ca ca_p256 ca_p384 ca_p521 ca_pss; do
    openssl req -x509 -new -key "$keys/$ca.key" -sha256 -days $days -subj "/O=Example/CN=$ca" -out $ca.pem
done
openssl req -x509 -new -key "$keys/ca.key" -sha384 -days $days -subj "/CN=sha384" -out ca_sha384.pem
openssl req -x509 -new -key "$keys/ca.key" -sha512 -days $days -subj "/CN=sha512" -out ca_sha512.pem
openssl req -x509 -new -key "$keys/ca.key" -sha1 -days $days -subj "/CN=sha1" -out ca_sha1.pem
openssl req -x509 -new -key "$keys/ca.key" -sha256 -days $days -subj "/CN=pss" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -out ca_rsa_signs_pss.pem
openssl req -x509 -new -key "$keys/ca.key" -sha256 -days $days -subj "/CN=pss salt" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -out ca_pss_short_salt.pem
openssl req -x509 -new -key "$keys/ca.key" -sha256 -days $days -subj "/CN=not a CA" -addext basicConstraints=critical,CA:FALSE -out ca_false.pem
rsa small 1024; openssl req -x509 -new -key "$keys/small.key" -sha256 -days $days -subj "/CN=small" -out ca_rsa1024.pem
openssl genpkey -algorithm ED25519 -out "$keys/ed.key"
openssl req -x509 -new -key "$keys/ed.key" -days $days -subj "/CN=ed25519" -out ca_ed25519.pem
ec k1 secp256k1; openssl req -x509 -new -key "$keys/k1.key" -sha256 -days $days -subj "/CN=secp256k1" -out ca_secp256k1.pem
# A version 1 certificate for a CA, and one without basicConstraints.
openssl req -new -key "$keys/ca.key" -subj "/CN=v1" | openssl x509 -req -signkey "$keys/ca.key" -sha256 -days $days -out ca_v1.pem 2>/dev/null
printf 'subjectKeyIdentifier=hash\n' > "$keys/bare.ext"
openssl req -new -key "$keys/ca.key" -subj "/CN=bare" | openssl x509 -req -signkey "$keys/ca.key" -sha256 -days $days -extfile "$keys/bare.ext" -out ca_no_constraints.pem 2>/dev/null

# As AWS's guide makes device certificates: `openssl x509 -req`, hence version 1, from each kind of CA.
rsa leaf
openssl req -new -key "$keys/leaf.key" -subj "$subject" -out request.pem
for ca in ca ca_p256 ca_p384 ca_p521; do
    openssl x509 -req -in request.pem -CA $ca.pem -CAkey "$keys/$ca.key" -set_serial 0x00fe01 -days $days -sha256 -out leaf_v1_by_$ca.pem 2>/dev/null
done
openssl x509 -req -in request.pem -CA ca_pss.pem -CAkey "$keys/ca_pss.key" -set_serial 1 -days $days -sha256 -out leaf_v1_by_ca_pss.pem 2>/dev/null
cat > "$keys/leaf.ext" <<END
authorityKeyIdentifier=keyid
subjectKeyIdentifier=hash
subjectAltName=email:a@example.com,DNS:one.example.com,DNS:two.example.com,URI:urn:device:7,IP:192.0.2.1,IP:2001:db8::1,dirName:dir
issuerAltName=DNS:issuer.example.com
[dir]
CN=inside
END
openssl x509 -req -in request.pem -CA ca.pem -CAkey "$keys/ca.key" -set_serial 4096 -days $days -sha256 -extfile "$keys/leaf.ext" -out leaf_v3.pem 2>/dev/null
openssl x509 -in leaf_v3.pem -text > leaf_v3_text.pem
openssl req -new -key "$keys/ca_p384.key" -sha384 -subj "/CN=p384" -out request_p384.pem
openssl req -new -key "$keys/small.key" -subj "/CN=small" -out request_rsa1024.pem
openssl req -new -key "$keys/leaf.key" -sha1 -subj "/CN=sha1" -out request_sha1.pem
