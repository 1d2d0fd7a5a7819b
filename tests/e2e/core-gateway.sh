# A gateway without MTA for tests in bash: source it after tap.sh. The gateway of behoerde.de lives in $base, its targets store what
# they get in $base/external and $base/internal (store-target.sh), the PKI of pki.sh is $pki.
#
#   conf TEXT               writes julia.conf: the standard lines, then TEXT
#   rules TEXT              writes julia.rules
#   outgoing SENDER RCPT... < message      runs julia for an internal client; sets $status and $said
#   julia OPTION... < message              the same with any options
#   explain SENDER RCPT... < message       sets $said
#   taken external|internal                how many hand-offs a target got since the last `forget`
#   handed external|internal N             path of the N-th (its arguments: .args instead of .eml)
#   forget                                 empties targets and journal
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${JULIA_BUILD:-build/release}" && pwd)
source=$(cd "${JULIA_SOURCE:-.}" && pwd)
base=$(mktemp -d "${TMPDIR:-/tmp}/julia-core.XXXXXX")
trap 'rm -rf "$base"' EXIT
pki=$base/pki
status=
said=

mkdir -p "$base"/etc "$base"/var/{spool,journal,index,run,review} "$base"/logs "$base"/external "$base"/internal "$base"/lib
ln -s "$build/lib/modules" "$base/lib/modules"
cp -r "$source/etc/templates" "$base/etc/templates"
"$here/pki.sh" "$pki" || exit 1
"$here/pki.sh" base "$pki" "$base" || exit 1

conf() {
    cat > "$base/etc/julia.conf" <<CONF
BASE = $base
ADMIN = admin@behoerde.de
MYHOSTNAME = gw.behoerde.de
INTERNAL_DOMAINS = behoerde.de
INTERNAL_CLIENTS = 10.0.0.0/8
TARGET_EXTERNAL = $here/store-target.sh $base/external
TARGET_INTERNAL = $here/store-target.sh $base/internal
$1
CONF
}

rules() { printf '%s\n' "$1" > "$base/etc/julia.rules"; }

julia() {
    said=$("$build/bin/julia" -c "$base/etc/julia.conf" "$@" 2> "$base/stderr")
    status=$?
}

outgoing() {
    local sender=$1
    shift
    julia -client 10.1.2.3 -sender "$sender" -queue-id TEST -readmail "$@"
}

explain() {
    local sender=$1
    shift
    julia -explain -client 10.1.2.3 -sender "$sender" -readmail "$@"
}

taken() { find "$base/$1" -name '*.args' | wc -l; }
handed() { printf '%s\n' "$base/$1/$2.eml"; }
arguments() { tr '\n' ' ' < "$base/$1/$2.args"; }

forget() { rm -rf "$base"/external/* "$base"/internal/* "$base"/var/journal/*; }

# decrypt NAME FILE OUT; verify FILE OUT (the signed content as it is shown)
decrypt() { openssl cms -decrypt -in "$2" -recip "$pki/$1.crt" -inkey "$pki/$1.key" -out "$3" 2> "$base/openssl"; }
verify() { openssl cms -verify -in "$1" -CAfile "$pki/ca.crt" -signer "$base/signer.pem" -out "$2" 2> "$base/openssl"; }
signer() { openssl x509 -in "$base/signer.pem" -noout -ext subjectAltName | sed -n 's/.*email://p'; }

letter() { # letter FROM TO SUBJECT [HEADER]
    printf 'From: %s\nTo: %s\nSubject: %s\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMessage-ID: <%s@behoerde.de>\n' "$1" "$2" "$3" "$RANDOM$RANDOM"
    [ -z "${4:-}" ] || printf '%s\n' "$4"
    printf '\nA letter.\n'
}
