# A whole mail system for one test: a real Postfix with julia in it, its three queues, and a server for each target.
#
# Everything lives in one temporary directory and in namespaces of its own (mount, network, host name, processes): only loopback
# exists, /etc/postfix, /etc/passwd and /etc/hosts are private, nothing of this machine is touched, and all processes end with the
# script. Needs root and the right to unshare(1); without, the test is skipped.
#
#   . "$(dirname "$0")/lib.sh"
#   world_enter "$0" "$@"             first of all: starts the script anew inside (or skips it)
#   world_start                       makes and starts everything; WORLD is its directory
#   send_mail internal user_1@behoerde.de anna@partner-1.com letter.eml
#   wait_for_sink external 1          then look at "$(sink_message external 1)" and "$(sink_envelope external 1)"
#   done_testing                      (tap.sh); clean-up happens by itself
#
# Inside:
#   $WORLD/base       BASE of julia: bin, lib (copied from $JULIA_BUILD), etc/julia.conf, etc/julia.rules, var, logs
#   $WORLD/queues     the three queue instances: {external,scanner,internal}/{etc,queue,data}
#   $WORLD/sinks      what the targets got: {external,scanner,internal}/NNNN.eml and NNNN.json
#   $WORLD/log        front.log, front-julia-{external,scanner,internal}.log
#   WORLD_USER        julia's user ("julia", exists only inside); run_as COMMAND... runs as this user
#   WORLD_CONF        $WORLD/base/etc/julia.conf
#   WORLD_IPV6        yes or no: whether this kernel has it
#   front instance    127.0.0.1:25 and [::1]:25, /etc/postfix (private)
#   clients           internal 10.1.0.7 and fd00:1::7 (in INTERNAL_CLIENTS), external 203.0.113.9 and 2001:db8::9,
#                     scanner 10.2.0.2 (in SCANNER_CLIENTS), local 127.0.0.1
#   domains           behoerde.de is internal (INTERNAL_DOMAINS, relay_domains), host name gate.behoerde.de
#
# Settings, before world_start:
#   WORLD_JULIA=FILE  runs FILE in the place of julia (a stub)
#   WORLD_SETUP=no    does not run julia-postfix-setup: a plain Postfix, for tests of the set-up itself
#   WORLD_KEEP=yes    keeps the directory and says where it is (also taken from the environment)
#   WORLD_DIR=DIR     makes everything in DIR, which must be empty and which is kept (for the demo)
#
# Functions:
#   world_conf TEXT               appends to julia.conf
#   world_rules TEXT              replaces julia.rules
#   send_mail CLIENT SENDER RCPT[,RCPT...] FILE [option of smtp-send.py...]
#                                 CLIENT: internal, internal6, external, external6, scanner, local, or an address; SENDER '<>': null
#                                 sender; prints "CODE TEXT", status 0 if accepted
#   submit_mail SENDER RCPT FILE  hands FILE to the front's sendmail(1), as a program on this host would
#   wait_for_sink NAME COUNT [S]  waits until the sink has COUNT messages, at most S seconds (default 30)
#   wait_for_quiet [S]            waits until all queues are empty
#   wait_for_text FILE REGEX [S]  waits until FILE contains the extended regular expression
#   wait_until S COMMAND...       waits until COMMAND succeeds
#   sink_messages NAME            the .eml files in order, one a line
#   sink_count NAME               how many
#   sink_message NAME N           path of the N-th message (from 1)
#   sink_envelope NAME N          "SENDER RCPT,RCPT..." of the N-th message; the null sender is "<>"
#   sink_fail NAME STAGE REPLY    makes the sink refuse: STAGE connect, mail, rcpt, rcpt:ADDRESS, data, drop, or once:STAGE
#   sink_ok NAME                  takes all refusals back
#   sink_refused NAME             how many times it refused
#   sink_hide NAME WORD...        what EHLO does not offer (8BITMIME, SMTPUTF8, DSN)
#   sink_clear NAME               forgets its messages (numbers begin anew)
#   run_as COMMAND...             runs COMMAND as WORLD_USER
#   flush_mail                    tries everything that waits now, like deliver-all
#   queue_ids INSTANCE            queue ids waiting in front, external, scanner or internal
#   world_age                     after changing a main.cf: spares each Postfix program its two seconds of caution
#   world_log                     prints the ends of all logs as remarks
#   world_stop                    ends everything (done at exit)

# shellcheck shell=bash
E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SOURCE=${JULIA_SOURCE:-$(cd "$E2E/../.." && pwd)}
BUILD=${JULIA_BUILD:-$SOURCE/build/release}
WORLD_USER=julia
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
unset MAIL_CONFIG
# shellcheck source=tests/e2e/tap.sh
. "$E2E/tap.sh"

# ---- into the world -----------------------------------------------------------------------------------------------------

# The flags for unshare(1), or nothing if it is not permitted. In a chroot "/" is no mount point whose propagation could be changed.
_world_flags() {
    local flags
    for flags in '-m -n -u' '-m --propagation unchanged -n -u'; do
        # shellcheck disable=SC2086
        if unshare $flags true 2>/dev/null; then
            # With processes of its own, nothing can outlive the script.
            ! unshare $flags -p -f --mount-proc true 2>/dev/null || flags="$flags -p -f --mount-proc --kill-child"
            echo "$flags"
            return
        fi
    done
}

world_enter() { # world_enter "$0" "$@"
    [ -z "${JULIA_IN_WORLD-}" ] || return 0
    local script=$1 flags
    shift
    [ "$(id -u)" = 0 ] || skip_all 'needs root for a network of its own'
    command -v postfix >/dev/null || skip_all 'Postfix is not installed'
    flags=$(_world_flags)
    [ -n "$flags" ] || skip_all 'unshare is not permitted here'
    # shellcheck disable=SC2086
    exec unshare $flags env JULIA_IN_WORLD=yes bash "$script" "$@"
}

_bind() { # _bind FILE OVER: FILE stands in for OVER, which is made if it is missing
    [ -e "$2" ] || { if [ -d "$1" ]; then mkdir -p "$2"; else : >"$2"; fi; }
    mount --bind "$1" "$2"
}

_world_network() {
    hostname gate.behoerde.de
    ip link set lo up
    local address
    for address in 10.1.0.7/32 10.2.0.2/32 203.0.113.9/32; do ip addr add $address dev lo; done
    WORLD_IPV6=no
    ! ip addr add fd00:1::7/128 dev lo nodad 2>/dev/null || ! ip addr add 2001:db8::9/128 dev lo nodad 2>/dev/null || WORLD_IPV6=yes
    printf '127.0.0.1 localhost\n::1 localhost\n127.0.0.1 gate.behoerde.de gate\n' >"$WORLD/hosts"
    printf '# no resolver\n' >"$WORLD/resolv.conf"
    _bind "$WORLD/hosts" /etc/hosts
    _bind "$WORLD/resolv.conf" /etc/resolv.conf
}

_world_user() {
    grep -v "^$WORLD_USER:" /etc/passwd >"$WORLD/passwd"
    grep -v "^$WORLD_USER:" /etc/group >"$WORLD/group"
    echo "$WORLD_USER:x:61987:61987::/nonexistent:/usr/sbin/nologin" >>"$WORLD/passwd"
    echo "$WORLD_USER:x:61987:" >>"$WORLD/group"
    _bind "$WORLD/passwd" /etc/passwd
    _bind "$WORLD/group" /etc/group
}

run_as() { setpriv --reuid=$WORLD_USER --regid=$WORLD_USER --clear-groups "$@"; }

# BASE: a copy, because the build may lie where other users cannot go.
_world_base() {
    local base=$WORLD/base
    WORLD_CONF=$base/etc/julia.conf
    mkdir -p "$base"/{bin,lib,logs,var/{spool,journal,index,run,review},etc/{public,trusted,untrusted,private,ca}}
    [ ! -d "$BUILD/bin" ] || cp -R "$BUILD/bin/." "$base/bin"
    [ ! -d "$BUILD/lib" ] || cp -R "$BUILD/lib/." "$base/lib"
    cp "$SOURCE"/contrib/bin/* "$base/bin"
    [ ! -d "$SOURCE/etc/templates" ] || cp -R "$SOURCE/etc/templates" "$base/etc"
    if [ -n "${WORLD_JULIA-}" ]; then
        cp "$WORLD_JULIA" "$base/bin/julia.new"
        chmod 755 "$base/bin/julia.new"
        mv "$base/bin/julia.new" "$base/bin/julia"
    fi
    cat >"$WORLD_CONF" <<END
BASE = $base
MYHOSTNAME = gate.behoerde.de
AUTHSERV_ID = gate.behoerde.de
ADMIN = admin@behoerde.de
INTERNAL_CLIENTS = 10.1.0.0/16 fd00:1::/32
SCANNER_CLIENTS = 10.2.0.0/16
INTERNAL_DOMAINS = behoerde.de
TARGET_EXTERNAL = /usr/sbin/sendmail -C $WORLD/queues/external/etc -G
TARGET_SCANNER = /usr/sbin/sendmail -C $WORLD/queues/scanner/etc -G
TARGET_INTERNAL = /usr/sbin/sendmail -C $WORLD/queues/internal/etc -G
END
    : >"$base/etc/julia.rules"
    chown -R $WORLD_USER: "$base/var" "$base/logs" "$base/etc/private"
    chmod 700 "$base/etc/private"
}

world_conf() { printf '%s\n' "$*" >>"$WORLD_CONF"; }
world_rules() { printf '%s\n' "$*" >"$WORLD/base/etc/julia.rules"; }

# The front instance as an administrator might have it before julia comes: a relay between inside and outside.
_front_main() {
    cat <<END
# Main instance of the test
compatibility_level = 3.6
queue_directory = $WORLD/front/queue
data_directory = $WORLD/front/data
maillog_file = $WORLD/log/front.log
maillog_file_prefixes = $WORLD
myhostname = gate.behoerde.de
mydestination =
local_recipient_maps =
local_transport = error:5.1.1 no local delivery here
alias_maps =
alias_database =
inet_interfaces = loopback-only
inet_protocols = $([ $WORLD_IPV6 = yes ] && echo all || echo ipv4)
mynetworks = 127.0.0.0/8 [::1]/128 10.1.0.0/16 10.2.0.0/16 [fd00:1::]/32
relay_domains = behoerde.de
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
message_size_limit = 409600000
append_at_myorigin = no
append_dot_mydomain = no
remote_header_rewrite_domain =
biff = no
END
}

_front_master() {
    echo '# Main instance of the test'
    echo '127.0.0.1:25 inet n - n - - smtpd'
    [ $WORLD_IPV6 = no ] || echo '[::1]:25 inet n - n - - smtpd'
    cat <<'END'
pickup    unix  n - n 60    1 pickup
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
smtp      unix  - - n -     - smtp
relay     unix  - - n -     - smtp
showq     unix  n - n -     - showq
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
anvil     unix  - - n -     1 anvil
scache    unix  - - n -     1 scache
postlog   unix-dgram n - n - 1 postlogd
END
}

_world_front() {
    mkdir -p "$WORLD"/front/{queue,data} "$WORLD/log" "$WORLD/etc-postfix"
    chown postfix: "$WORLD/front/data"
    cp -a /etc/postfix/. "$WORLD/etc-postfix"
    rm -rf "$WORLD/etc-postfix/julia-postfix-setup.d"
    _front_main >"$WORLD/etc-postfix/main.cf"
    _front_master >"$WORLD/etc-postfix/master.cf"
    _bind "$WORLD/etc-postfix" /etc/postfix
    world_age
}

world_setup() { # the set-up script with the addresses of this world, and further options
    "$SOURCE/contrib/postfix/julia-postfix-setup" -u $WORLD_USER -b "$WORLD/base" -r "$WORLD/queues" \
        -e '[127.0.0.1]:2550' -s '[127.0.0.1]:2530' -i '[127.0.0.1]:2540' "$@"
}

# Every Postfix program waits until main.cf is two seconds old. This makes it so.
world_age() { find /etc/postfix/ "$WORLD/queues" -maxdepth 3 -name 'm*.cf' -exec touch -d '1 minute ago' {} + 2>/dev/null; }

world_start() {
    WORLD=${WORLD_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/julia-world.XXXXXX")}
    mkdir -p "$WORLD"
    chmod 755 "$WORLD"
    trap world_stop EXIT
    _world_network
    _world_user
    _world_base
    _world_front
    _start_sink external 2550
    _start_sink scanner 2530
    _start_sink internal 2540
    [ "${WORLD_SETUP-yes}" = no ] || world_setup >"$WORLD/log/setup.log" 2>&1 || { diag "$(cat "$WORLD/log/setup.log")"; return 1; }
    world_age
    postfix start 2>"$WORLD/log/start.log" || { diag "$(cat "$WORLD/log/start.log")"; return 1; }
    wait_until 30 _listens 25
    wait_until 30 _listens 2550
    wait_until 30 _listens 2530
    wait_until 30 _listens 2540
}

_listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

world_stop() {
    local status=$? pid instance
    trap - EXIT
    [ -n "${WORLD-}" ] || return $status
    for instance in external scanner internal; do
        [ ! -f "$WORLD/queues/$instance/etc/main.cf" ] || postfix -c "$WORLD/queues/$instance/etc" stop 2>/dev/null
    done
    postfix -c /etc/postfix stop 2>/dev/null
    for pid in ${_sink_pids-}; do kill "$pid" 2>/dev/null; done
    if [ "${WORLD_KEEP-}" = yes ]; then
        diag "kept: $WORLD"
    elif [ -z "${WORLD_DIR-}" ]; then
        cd / && umount /etc/postfix && rm -rf "$WORLD"
    fi
    exit $status
}

world_log() {
    local file
    for file in "$WORLD"/log/*.log "$WORLD"/base/logs/*.log; do
        [ ! -s "$file" ] || { diag "--- $file"; diag "$(tail -n 25 "$file")"; }
    done
}

# ---- mail ---------------------------------------------------------------------------------------------------------------

send_mail() { # send_mail CLIENT SENDER RCPTS FILE [option...]
    local client=$1 sender=$2 recipients=$3 file=$4 server=127.0.0.1:25
    shift 4
    case $client in
    internal) client=10.1.0.7 ;;
    internal6) client=fd00:1::7 ;;
    external) client=203.0.113.9 ;;
    external6) client=2001:db8::9 ;;
    scanner) client=10.2.0.2 ;;
    local) client=127.0.0.1 ;;
    esac
    case $client in *:*) server='[::1]:25' ;; esac
    python3 "$E2E/smtp-send.py" --server "$server" --from-address "$client" "$@" -- "$sender" "$recipients" "$file"
}

submit_mail() { # submit_mail SENDER RCPT FILE
    sendmail -i -f "$1" -- "$2" <"$3"
}

wait_until() { # wait_until SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

_sink_has() { [ "$(sink_count "$1")" -ge "$2" ]; }
wait_for_sink() { # wait_for_sink NAME COUNT [SECONDS]
    wait_until "${3-30}" _sink_has "$1" "$2" || { diag "sink $1 has $(sink_count "$1") messages, not $2"; return 1; }
}

_contains() { grep -Eqs -- "$2" "$1"; }
wait_for_text() { # wait_for_text FILE REGEX [SECONDS]
    wait_until "${3-30}" _contains "$1" "$2" || { diag "not found in $1: $2"; return 1; }
}

_instance() { if [ "$1" = front ]; then echo /etc/postfix; else echo "$WORLD/queues/$1/etc"; fi; }

queue_ids() { # queue_ids INSTANCE
    postqueue -c "$(_instance "$1")" -j 2>/dev/null | sed 's/.*"queue_id": "\([^"]*\)".*/\1/'
}

_all_quiet() {
    local instance
    for instance in front external scanner internal; do [ -z "$(queue_ids $instance)" ] || return 1; done
}
wait_for_quiet() { wait_until "${1-30}" _all_quiet || { diag 'mail still waits'; diag "$(mailq)"; return 1; }; }

flush_mail() {
    local instance
    for instance in front external scanner internal; do postqueue -c "$(_instance $instance)" -f; done
}

# ---- sinks ----------------------------------------------------------------------------------------------------------------

_start_sink() { # _start_sink NAME PORT
    mkdir -p "$WORLD/sinks/$1"
    python3 "$E2E/smtp-sink.py" 127.0.0.1 "$2" "$WORLD/sinks/$1" 2>>"$WORLD/log/sink-$1.log" &
    _sink_pids="${_sink_pids-} $!"
}

sink_messages() { find "$WORLD/sinks/$1" -name '*.eml' | sort; }
sink_count() { sink_messages "$1" | wc -l; }
sink_message() { printf '%s/sinks/%s/%04d.eml\n' "$WORLD" "$1" "$2"; }
sink_envelope() {
    python3 -c 'import json, sys
e = json.load(open(sys.argv[1])); print(e["sender"] or "<>", ",".join(sorted(e["recipients"])))' \
        "$(printf '%s/sinks/%s/%04d.json' "$WORLD" "$1" "$2")"
}
sink_fail() { printf '%s %s\n' "$2" "$3" >>"$WORLD/sinks/$1/fail"; }
sink_ok() { rm -f "$WORLD/sinks/$1/fail"; }
sink_refused() { wc -l 2>/dev/null <"$WORLD/sinks/$1/refused" || echo 0; }
sink_hide() { local name=$1; shift; printf '%s\n' "$@" >"$WORLD/sinks/$name/hide"; }
sink_clear() { rm -rf "$WORLD/sinks/$1/"*.eml "$WORLD/sinks/$1/"*.json "$WORLD/sinks/$1/refused"; }
