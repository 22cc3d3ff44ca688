#!/usr/bin/env bash
# make.sh DIR [REGISTRATION-CODE]: a CA, one device certificate, and a verification certificate when a code is given.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2p' "$0" | sed 's/^# //'; exit 2; }
dir=$1
mkdir -p "$dir"
umask 077

key() { openssl ecparam -genkey -noout -name prime256v1 -out "$1"; }

# sign NAME COMMON-NAME: a certificate signed by the CA, in NAME.pem with its key in NAME.key
sign() {
  key "$dir/$1.key"
  openssl req -new -key "$dir/$1.key" -subj "/CN=$2" -out "$dir/$1.csr"
  openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 365 -out "$dir/$1.pem" 2>/dev/null
  rm "$dir/$1.csr"
}

if [ ! -e "$dir/ca.pem" ]; then
  key "$dir/ca.key"
  openssl req -x509 -new -key "$dir/ca.key" -days 3650 -subj "/CN=Development devices" -out "$dir/ca.pem"
fi
[ -e "$dir/device.pem" ] || sign device device-1
[ -z "${2-}" ] || sign verify "$2"
ls "$dir"
