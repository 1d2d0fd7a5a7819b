#!/bin/sh
# pki.sh DIRECTORY: a small PKI for tests, made by openssl alone.
#   ca.crt ca.key crl.pem
#   mail user_1 user_2          @behoerde.de, certificate and key
#   anna bert ec                @partner-1.com, valid (ec: P-256)
#   expired revoked future      @partner-1.com, what the name says
#   trusted                     @partner-1.com, expired, for the area trusted
#   archive                     @behoerde.de, for ENCRYPT_ALSO_TO
#   stranger                    @partner-1.com, of a CA that nobody knows
# pki.sh base DIRECTORY BASE: puts them into the areas of BASE/etc as a gateway of behoerde.de has them.
set -eu

fail() { echo "pki.sh: $*" >&2; exit 1; }

config() {
    cat > "$dir/openssl.cnf" <<CNF
[req]
distinguished_name = dn
[dn]
[ca]
default_ca = this
[this]
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir/issued
certificate = $dir/ca.crt
private_key = $dir/ca.key
default_md = sha256
default_days = 300
default_crl_days = 300
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[person]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment, keyAgreement
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = \${ENV::SAN}
CNF
}

key() { # NAME rsa|ec
    if [ "$2" = ec ]; then
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/$1.key"
    else
        openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/$1.key"
    fi 2>/dev/null
    chmod 600 "$dir/$1.key"
}

root() { # NAME COMMON-NAME
    key "$1" rsa
    SAN=email:none@invalid openssl req -new -x509 -config "$dir/openssl.cnf" -extensions root -days 3000 \
        -key "$dir/$1.key" -subj "/CN=$2" -out "$dir/$1.crt"
}

issue() { # NAME ADDRESS KIND [STARTDATE ENDDATE]
    key "$1" "$3"
    SAN="email:$2" openssl req -new -config "$dir/openssl.cnf" -key "$dir/$1.key" -subj "/CN=$1" -out "$dir/$1.csr"
    SAN="email:$2" openssl ca -batch -notext -config "$dir/openssl.cnf" -extensions person \
        ${4:+-startdate "$4"} ${5:+-enddate "$5"} -in "$dir/$1.csr" -out "$dir/$1.crt" 2>/dev/null ||
        fail "$1 could not be issued"
    rm -f "$dir/$1.csr"
}

make_all() {
    mkdir -p "$dir/issued"
    : > "$dir/index.txt"
    echo 1000 > "$dir/serial"
    config
    root ca "Test CA"
    issue mail mail@behoerde.de rsa
    issue user_1 user_1@behoerde.de rsa
    issue user_2 user_2@behoerde.de rsa
    issue archive archive@behoerde.de rsa
    issue anna anna@partner-1.com rsa
    issue bert bert@partner-1.com rsa
    issue ec ec@partner-1.com ec
    issue expired expired@partner-1.com rsa 20200101000000Z 20210101000000Z
    issue trusted trusted@partner-1.com rsa 20200101000000Z 20210101000000Z
    issue future future@partner-1.com rsa 20490101000000Z 20491231000000Z
    issue revoked revoked@partner-1.com rsa
    SAN=none openssl ca -config "$dir/openssl.cnf" -revoke "$dir/revoked.crt" 2>/dev/null
    SAN=none openssl ca -config "$dir/openssl.cnf" -gencrl -out "$dir/crl.pem" 2>/dev/null
    mkdir -p "$dir/other"
    main=$dir
    dir=$dir/other
    mkdir -p "$dir/issued"
    : > "$dir/index.txt"
    echo 2000 > "$dir/serial"
    config
    root ca "Unknown CA"
    issue stranger stranger@partner-1.com rsa
    mv "$dir/stranger.crt" "$dir/stranger.key" "$main"
    dir=$main
}

put_base() { # BASE
    etc=$1/etc
    mkdir -p "$etc/public" "$etc/trusted" "$etc/untrusted" "$etc/private" "$etc/ca"
    chmod 700 "$etc/private"
    for n in anna bert ec expired future revoked stranger archive; do cp "$dir/$n.crt" "$etc/public/$n.pem"; done
    cp "$dir/trusted.crt" "$etc/trusted/trusted.pem"
    for n in mail user_1; do
        cat "$dir/$n.key" "$dir/$n.crt" > "$etc/private/$n.pem"
        chmod 600 "$etc/private/$n.pem"
    done
    cp "$dir/ca.crt" "$etc/ca/ca.pem"
    cp "$dir/crl.pem" "$etc/ca/crl.pem"
}

case ${1:-} in
base)
    [ $# = 3 ] || fail "usage: pki.sh base DIRECTORY BASE"
    dir=$2
    put_base "$3"
    ;;
*)
    [ $# = 1 ] || fail "usage: pki.sh DIRECTORY"
    mkdir -p "$1"
    dir=$(cd "$1" && pwd)
    make_all
    ;;
esac
