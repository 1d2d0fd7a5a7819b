# What the tests of julia-tenant share: a CA for each tenant, certificates of it, and what becomes of mail. Sourced behind gateway.sh.
#
#   tenant_etc                    an /etc of its own, before the world starts; users come and go
#   tenant_users                  afterwards: julia's user is in it
#   tenant_install                make install over the BASE of the world
#   tenant_pki                    CAs alpha, beta, out; a@alpha.example b@beta.example g@gamma.example x@partner-1.com mail@behoerde.de
#   tenant_fill                   keys, certificates and rules for the tenants alpha (user USER), beta (USER of its keys), gamma
#   tenant ..., as USER ..., refused REGEX NAME ARGUMENT..., signed_by CA FILE, sealed_for NAME ADDRESS, from CLIENT SENDER RCPTS

# shellcheck shell=bash
tenant_etc() {
    ETC=$(mktemp -d "${TMPDIR:-/tmp}/julia-etc.XXXXXX")
    cp -a /etc/. "$ETC"
    mount --bind "$ETC" /etc
    trap 'cd / && rm -rf "$ETC"' EXIT
}

tenant_users() {
    trap 'umount -l /etc; rm -rf "$ETC"; world_stop' EXIT
    umount -l /etc/passwd /etc/group
    cp "$WORLD/passwd" "$WORLD/group" /etc
}

tenant_install() {
    env -u MAKEFLAGS -u MAKELEVEL make -s -C "$SOURCE" -o programs install B="$BUILD" PREFIX="$WORLD/base" >"$WORLD/log/install.log" 2>&1 ||
        diag "$(cat "$WORLD/log/install.log")"
    BASE=$WORLD/base
    A=$WORLD/base-alpha
    B=$WORLD/base-beta
    G=$WORLD/base-gamma
    P=$WORLD/pki
    M=$WORLD/m
}

tenant() { "$BASE/bin/julia-tenant" "$@"; }
as() { # as USER COMMAND...
    local user=$1
    shift
    setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
}
refused() { # refused REGEX NAME ARGUMENT...: exit status 2, a message, and nothing has changed
    local regex=$1 name=$2 out status
    shift 2
    out=$(tenant "$@" 2>&1 </dev/null)
    status=$?
    like "$status $(printf '%s' "$out" | tail -n 1)" "^2 julia-tenant: .*$regex" "$name" || diag "$out"
}

authority() { # authority NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=CA of $1" -keyout "$P/ca-$1.key" -out "$P/ca-$1.crt" \
        -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}
person() { # person NAME ADDRESS CA
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$P/$1.key" -out "$P/$1.csr" 2>/dev/null
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyAgreement\nextendedKeyUsage=emailProtection\nsubjectAltName=email:%s\n' "$2" >"$P/$1.ext"
    openssl x509 -req -in "$P/$1.csr" -CA "$P/ca-$3.crt" -CAkey "$P/ca-$3.key" -CAcreateserial -days 20 -extfile "$P/$1.ext" -out "$P/$1.crt" 2>/dev/null
}
own_key() { # own_key BASE NAME USER
    cat "$P/$2.key" "$P/$2.crt" >"$1/etc/private/$2.pem"
    chmod 600 "$1/etc/private/$2.pem"
    chown "$3:" "$1/etc/private/$2.pem"
}

tenant_pki() {
    mkdir "$P"
    for n in alpha beta out; do authority $n; done
    person a a@alpha.example alpha
    person b b@beta.example beta
    person g g@gamma.example out
    person x x@partner-1.com out
    person m mail@behoerde.de out
    rm -rf "$BASE/etc/private/"* "$BASE/etc/ca/"*
    own_key "$BASE" m julia
    cp "$P/ca-out.crt" "$BASE/etc/ca/out.pem"
    world_rules '. (to) . (do) FS=mail@behoerde.de'
}

tenant_fill() { # tenant_fill USER-OF-ALPHAS-KEYS USER-OF-BETAS-KEYS
    own_key "$A" a "$1"
    own_key "$B" b "$2"
    own_key "$G" g julia-gamma
    cp "$P/ca-alpha.crt" "$P/ca-beta.crt" "$P/ca-out.crt" "$A/etc/ca"
    cp "$P/ca-beta.crt" "$P/ca-out.crt" "$P/ca-alpha.crt" "$B/etc/ca"
    cp "$P/ca-out.crt" "$G/etc/ca"
    cp "$P/b.crt" "$P/x.crt" "$A/etc/public"
    cp "$P/a.crt" "$B/etc/public"
    cat >"$A/etc/julia.rules" <<'END'
. (to) .            (do) FS=a@alpha.example
. (to) beta.example (do) FE:modern
END
    echo '. (to) . (do) FS=b@beta.example' >"$B/etc/julia.rules"
    echo '. (to) . (do) FS=g@gamma.example' >"$G/etc/julia.rules"
}

signed_by() { # signed_by CA FILE: the address in the certificate
    openssl cms -verify -in "$2" -CAfile "$P/ca-$1.crt" -signer "$WORLD/signer.pem" -out "$WORLD/inner" 2>"$WORLD/openssl" || { cat "$WORLD/openssl"; return; }
    openssl x509 -in "$WORLD/signer.pem" -noout -email
}
from() { # from CLIENT SENDER RCPTS [FIELD...]
    local client=$1 sender=$2 rcpts=$3
    shift 3
    letter "$M" "${sender/#<>/daemon@alpha.example}" "${rcpts//,/, }" subject "$@"
    send_mail "$client" "$sender" "$rcpts" "$M" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
}
sealed_for() { # sealed_for NAME ADDRESS
    printf 'Content-Type: text/plain\r\n\r\nfrom outside\r\n' | openssl cms -sign -signer "$P/x.crt" -inkey "$P/x.key" 2>/dev/null |
        openssl cms -encrypt -aes-256-gcm -from x@partner-1.com -to "$2" -subject in "$P/$1.crt" >"$M"
}
