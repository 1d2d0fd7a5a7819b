# The real julia with its modules in the world of lib.sh. Source it after lib.sh, behind world_enter.
#
#   gate_start                    world_start with the PKI of pki.sh (in $PKI), keys, rules of `gate_rules`, julia -check
#   gate_services                 the modules become services behind julia-moduled, each under a user of its own
#   gate_faulty ROLE WORDS...     ROLE (keys, trust, smime) misbehaves as tests/faults/faulty-module.py WORDS say
#   gate_repair                   no module misbehaves any more
#   letter FILE FROM TO SUBJECT [FIELD...]    makes a letter with body "A letter."
#   out FILE RCPT,... [SENDER]    sends it from inside, SENDER is user_1@behoerde.de
#   in_ FILE RCPT [SENDER]        sends it from outside, SENDER is anna@partner-1.com
#   gate_explain CLIENT SENDER RCPT... < FILE
#   deliveries SINK               "COUNT RCPT" a line: how often the sink got something for whom
#   decrypt NAME FILE OUT, verify FILE OUT [SIGNER]
#   gate_log REGEX                how many lines of julia.log match
#   only_once SINK TEXT COUNT     TAP: COUNT recipients at the sink, each once
#   reset                         empties sinks and julia.log

# shellcheck shell=bash
J=

# The PKI is made once for a build and day: keys take seconds.
gate_pki() {
    local cache=$BUILD/tests/pki
    PKI=$WORLD/pki
    if [ -z "$(find "$cache" -maxdepth 1 -name crl.pem -mtime -1 2>/dev/null)" ]; then
        sh "$E2E/pki.sh" "$WORLD/pki.new" >"$WORLD/log/pki.log" 2>&1 || return 1
        rm -rf "$cache"
        { mkdir -p "$BUILD/tests" && cp -R "$WORLD/pki.new" "$cache.$$" && mv -T "$cache.$$" "$cache"; } 2>/dev/null || rm -rf "$cache.$$"
        mv "$WORLD/pki.new" "$PKI"
    else
        cp -R "$cache" "$PKI"
    fi
}

gate_conf='' # what the file's author adds to julia.conf
gate_start() {
    world_start || { world_log; exit 1; }
    B=$WORLD/base/bin
    J=$WORLD/base/logs/julia.log
    gate_pki || { diag "$(cat "$WORLD/log/pki.log")"; exit 1; }
    sh "$E2E/pki.sh" base "$PKI" "$WORLD/base"
    chown -R $WORLD_USER: "$WORLD/base/etc/private"
    cp "$WORLD_CONF" "$WORLD/conf.plain"
    gate_configure ''
}

gate_configure() { # julia.conf as it was in the beginning, and TEXT
    { cat "$WORLD/conf.plain"; printf '%s\n' "$gate_conf" "${gate_modules-}" "$@"; } >"$WORLD_CONF"
}

gate_check() {
    run_as "$B/julia" -c "$WORLD_CONF" -check >"$WORLD/check" 2>&1 || { diag "$(cat "$WORLD/check")"; return 1; }
}

# ---- services -----------------------------------------------------------------------------------------------------------

_service() { # _service NAME [ARGUMENT...]: as root, which julia-moduled leaves
    local name=$1
    "$B/julia-moduled" -b "$WORLD/base" -n 2 -u "julia-$name" -g $WORLD_USER -s "$WORLD/base/var/run/$name" "$@" >>"$WORLD/log/moduled.log" 2>&1 &
    eval "pid_${name%%-*}=$!"
}

gate_services() {
    local n base=$WORLD/base
    for n in keys-file:61988 trust:61989 smime:61990; do
        echo "julia-${n%:*}:x:${n#*:}:${n#*:}::/nonexistent:/usr/sbin/nologin" >>"$WORLD/passwd"
        echo "julia-${n%:*}:x:${n#*:}:" >>"$WORLD/group"
    done
    install -d -m 750 -o julia-keys-file -g julia-keys-file "$base/var/index/keys-file"
    install -d -m 750 -o julia-trust -g julia-trust "$base/var/index/trust"
    chown -R julia-keys-file: "$base/etc/private" "$base/etc/public" "$base/var/review" "$base/var/capabilities"
    printf 'CORE_USER = %s\nINDEX = var/index/keys-file/index.sqlite\n' $WORLD_USER >"$base/etc/keys-file.conf"
    echo 'INDEX = var/index/trust/index.sqlite' >"$base/etc/trust.conf"
    for n in keys-file trust smime; do _service $n; done
    gate_modules="MODULES_KEYS = unix:$base/var/run/keys-file
MODULE_TRUST = unix:$base/var/run/trust
MODULE_SMIME = unix:$base/var/run/smime"
    gate_configure ''
    for n in keys-file trust smime; do wait_until 10 test -S "$base/var/run/$n" || diag "no service $n"; done
}

gate_faulty() { # gate_faulty ROLE WORDS...
    local role=$1 name line=MODULE_SMIME
    shift
    name=$role
    [ $role != keys ] || { name=keys-file line=MODULES_KEYS; }
    [ $role != trust ] || line=MODULE_TRUST
    mkdir -p "$WORLD/faults"
    chown $WORLD_USER "$WORLD/faults"
    cp -n "$SOURCE/tests/faults/faulty-module.py" "$WORLD/faults/module.py"
    sed "/^$line *=/d" "$WORLD_CONF" >"$WORLD/conf.new"
    echo "$line = $(command -v python3) $WORLD/faults/module.py $* -- $WORLD/base/lib/modules/$name" >>"$WORLD/conf.new"
    cp "$WORLD/conf.new" "$WORLD_CONF"
}
gate_repair() { gate_configure ''; }

# ---- mail ---------------------------------------------------------------------------------------------------------------

letter() { # letter FILE FROM TO SUBJECT [FIELD...]
    local file=$1 from=$2 to=$3 subject=$4
    shift 4
    {
        printf 'From: %s\nTo: %s\nSubject: %s\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMessage-ID: <%s@behoerde.de>\n' \
            "$from" "$to" "$subject" "$RANDOM$RANDOM$RANDOM"
        [ $# = 0 ] || printf '%s\n' "$@"
        printf '\nA letter.\n'
    } >"$file"
}

out() { send_mail internal "${3-user_1@behoerde.de}" "$2" "$1" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"; }
in_() { send_mail external "${3-anna@partner-1.com}" "$2" "$1" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"; }

gate_explain() { # gate_explain CLIENT SENDER RCPT... < FILE
    local client=$1 sender=$2
    shift 2
    run_as "$B/julia" -c "$WORLD_CONF" -explain -client "$client" -sender "$sender" -readmail "$@"
}

deliveries() {
    python3 -c 'import collections, glob, json, sys
c = collections.Counter(r for f in glob.glob(sys.argv[1] + "/*.json") for r in json.load(open(f))["recipients"])
for r in sorted(c): print(c[r], r)' "$WORLD/sinks/$1"
}
only_once() { # only_once SINK COUNT TEXT
    is "$(deliveries "$1" | wc -l) $(deliveries "$1" | grep -vc '^1 ')" "$2 0" "$3"
}

decrypt() { openssl cms -decrypt -in "$2" -recip "$PKI/$1.crt" -inkey "$PKI/$1.key" -out "$3" 2>"$WORLD/openssl"; }
verify() { # verify FILE OUT [SIGNER]
    openssl cms -verify -in "$1" -CAfile "$PKI/ca.crt" -signer "$WORLD/signer.pem" -out "$2" 2>"$WORLD/openssl" || return 1
    [ "$(openssl x509 -in "$WORLD/signer.pem" -noout -email)" = "${3-mail@behoerde.de}" ]
}
body() { tr -d '\r' <"$1" | sed '1,/^$/d'; }
gate_log() { grep -Ec -- "$1" "$J" 2>/dev/null; }

reset() {
    local sink
    wait_for_quiet 20
    for sink in external scanner internal; do sink_clear $sink; done
    : >"$J"
    for sink in "$WORLD"/log/front*.log; do : >"$sink"; done
}
