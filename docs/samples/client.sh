#!/usr/bin/env bash
# A party's client with bash, curl and openssl 3 alone.
#
#   client.sh new-key KEY.pem Ed25519|ES256          make a key; prints its public JWK and its kid
#   client.sh sign URL ORIGIN PARTY KEY.pem BILL     sign as holder of a bill; prints the receipt
#
# `sign` does what every client does: it proves who asks, reads, signs one event, sends it. The key
# is an unencrypted PKCS#8 PEM here to keep the sample short; keep yours encrypted or in a device.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# -- keys ------------------------------------------------------------------------------------------

public_bytes() { openssl pkey -in "$1" -pubout -outform DER | tail -c "$2"; }

algorithm() {
  if openssl pkey -in "$1" -noout -text | grep -q ED25519; then echo Ed25519; else echo ES256; fi
}

# The public JWK with its required members in alphabetical order: the form that RFC 7638 hashes.
jwk() {
  if [ "$(algorithm "$1")" = Ed25519 ]; then
    printf '{"crv":"Ed25519","kty":"OKP","x":"%s"}' "$(public_bytes "$1" 32 | base64url)"
  else
    printf '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' \
      "$(public_bytes "$1" 64 | head -c 32 | base64url)" "$(public_bytes "$1" 32 | base64url)"
  fi
}

kid() { jwk "$1" | openssl dgst -sha256 -binary | base64url; }

new_key() {
  umask 077
  case "$2" in
    Ed25519) openssl genpkey -algorithm ED25519 -out "$1" ;;
    ES256) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" ;;
    *) echo "the algorithm is Ed25519 or ES256, not $2" >&2; exit 2 ;;
  esac
  jwk "$1"; echo
  kid "$1"; echo
}

# -- signatures ------------------------------------------------------------------------------------

# openssl writes an ECDSA signature as DER; JOSE wants r and s as 32 bytes each (RFC 7518, 3.4).
der_to_raw() {
  openssl asn1parse -inform DER -in "$1" | sed -n 's/.*INTEGER *:\([0-9A-F]*\)$/\1/p' |
    while read -r number; do printf '%64s' "$number" | tr ' ' '0'; done >"$work/hex"
  printf '%b' "$(sed 's/../\\x&/g' "$work/hex")"
}

signature() {
  if [ "$(algorithm "$2")" = Ed25519 ]; then
    openssl pkeyutl -sign -rawin -inkey "$2" -in "$1"
  else
    openssl dgst -sha256 -sign "$2" -out "$work/der" "$1"
    der_to_raw "$work/der"
  fi
}

# jws TYP PAYLOAD KEY: a compact JWS whose header is exactly alg, kid and typ.
jws() {
  local header
  header=$(printf '{"alg":"%s","kid":"%s","typ":"%s"}' "$(algorithm "$3")" "$(kid "$3")" "$1")
  printf '%s.%s' "$(printf '%s' "$header" | base64url)" "$(printf '%s' "$2" | base64url)" \
    >"$work/input"
  printf '%s.%s' "$(cat "$work/input")" "$(signature "$work/input" "$3" | base64url)"
}

# -- what is signed --------------------------------------------------------------------------------

uuid7() {
  local time random
  time=$(printf '%012x' "$(date +%s%3N)")
  random=$(openssl rand -hex 10)
  printf '%s-%s-7%s-%x%s-%s' "${time:0:8}" "${time:8:4}" "${random:0:3}" \
    $((8 + 0x${random:3:1} % 4)) "${random:4:3}" "${random:7:12}"
}

# The members stand in alphabetical order, without blanks: with plain text that is RFC 8785.
assertion() { # URL PARTY
  local now
  now=$(date +%s)
  printf '{"aud":"%s/oauth/token","exp":%d,"iat":%d,"iss":"%s","jti":"%s","sub":"%s"}' \
    "$1" $((now + 60)) "$now" "$2" "$(openssl rand -hex 16)" "$2"
}

event() { # ACTION PARTY ORIGIN STREAM SEQUENCE PREVIOUS
  printf '{"action":"%s","actor":"%s","at":"%s","audience":"%s","details":{},"id":"%s",' \
    "$1" "$2" "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" "$3" "$(uuid7)"
  printf '"previous":"%s","sequence":%d,"stream":"%s","v":1}' "$6" "$5" "$4"
}

# -- talking ---------------------------------------------------------------------------------------

# member NAME: the first member of this name in a JSON answer; enough for plain texts and numbers.
member() { grep -o "\"$1\": *\"\?[^\",}]*" | sed -n '1s/^[^:]*: *"\{0,1\}//p'; }

sign() {
  local url=$1 origin=$2 party=$3 key=$4 bill=$5 token head receipt

  token=$(curl -sS --fail-with-body "$url/oauth/token" \
    --data-urlencode grant_type=client_credentials \
    --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
    --data-urlencode client_assertion="$(jws client-authentication+jwt "$(assertion "$url" "$party")" "$key")" |
    member access_token)

  printf 'status %s\n' "$(curl -sS --fail-with-body -H "Authorization: Bearer $token" \
    "$url/v1/bills/$bill" | member status)"

  head=$(curl -sS --fail-with-body -H "Authorization: Bearer $token" \
    "$url/v1/streams/bill%3A$bill/head")

  receipt=$(jws ebl-event+jws "$(event SIGN "$party" "$origin" "bill:$bill" \
    $(($(member sequence <<<"$head") + 1)) "$(member digest <<<"$head")")" "$key" |
    curl -sS --fail-with-body -H 'Content-Type: application/jose' --data-binary @- "$url/v1/events")

  printf 'recorded at index %s\n' "$(member index <<<"$receipt")"
}

case "${1:-}" in
  new-key) new_key "$2" "$3" ;;
  sign) sign "$2" "$3" "$4" "$5" "$6" ;;
  *) sed -n '2,8p' "$0"; exit 2 ;;
esac
