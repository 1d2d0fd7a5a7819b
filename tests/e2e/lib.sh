# A whole mail system for one test: a real Postfix or Sendmail with julia in it, its three queues, and a server for each target.
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
#   $WORLD/queues     the three queue instances: {external,scanner,internal}/...
#   $WORLD/sinks      what the targets got: {external,scanner,internal}/NNNN.eml and NNNN.json
#   $WORLD/log        front.log, front-julia-{external,scanner,internal}.log (log_of)
#   WORLD_USER        julia's user ("julia", exists only inside); run_as COMMAND... runs as this user
#   WORLD_CONF        $WORLD/base/etc/julia.conf
#   WORLD_IPV6        yes or no: whether this kernel has it
#   front instance    127.0.0.1:25 and [::1]:25, /etc/postfix or /etc/mail (private)
#   /usr/sbin/sendmail    that of WORLD_MTA
#   clients           internal 10.1.0.7 and fd00:1::7 (in INTERNAL_CLIENTS), external 203.0.113.9 and 2001:db8::9,
#                     scanner 10.2.0.2 (in SCANNER_CLIENTS), local 127.0.0.1
#   domains           behoerde.de is internal (INTERNAL_DOMAINS, relay_domains), host name gate.behoerde.de
#
# Settings, before lib.sh is read:
#   WORLD_MTA=NAME    postfix (default) or sendmail. Write a test for both, and put a link to with-sendmail into tests/e2e/sendmail;
#                     a test that is about one of them sets it.
# Settings, before world_start:
#   WORLD_JULIA=FILE  runs FILE in the place of julia (a stub)
#   WORLD_SETUP=no    does not run julia-postfix-setup (julia-sendmail-setup): a plain MTA, for tests of the set-up itself
#   WORLD_KEEP=yes    keeps the directory and says where it is (also taken from the environment)
#   WORLD_DIR=DIR     makes everything in DIR, which must be empty and which is kept (for the demo)
#
# Functions:
#   world_conf TEXT               appends to julia.conf
#   world_rules TEXT              replaces julia.rules
#   send_mail CLIENT SENDER RCPT[,RCPT...] FILE [option of smtp-send.py...]
#                                 CLIENT: internal, internal6, external, external6, scanner, local, or an address; SENDER '<>': null
#                                 sender; prints "CODE TEXT", status 0 if accepted
#   submit_mail SENDER RCPT[,RCPT...] FILE    hands FILE to the front's sendmail(1), as a program on this host would
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
#   queue_ids INSTANCE            queue ids of what waits in INSTANCE: front, external, scanner or internal
#   waiting INSTANCE              the recipients of what waits there, one a line
#   drop_mail INSTANCE            deletes what waits there
#   log_of INSTANCE               path of its log; $DEFERRED and $BOUNCED match what either MTA writes there about a recipient
#   mta_recipients N              sets how many recipients the MTA names in one call of julia
#   mta_lifetime INSTANCE TIME    sets how long mail may wait there before it is returned, as the documents say
#   log_why [N]                   the newest line(s) that say why mail waits in front
#   mta_stop, mta_start           stops and starts everything of the MTA
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
WORLD_MTA=${WORLD_MTA:-postfix}
# shellcheck source=tests/e2e/lib-postfix.sh
. "$E2E/lib-$WORLD_MTA.sh"

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
    local script=$1 flags missing
    shift
    [ "$(id -u)" = 0 ] || skip_all 'needs root for a network of its own'
    missing=$(mta_missing)
    [ -z "$missing" ] || skip_all "$missing"
    flags=$(_world_flags)
    [ -n "$flags" ] || skip_all 'unshare is not permitted here'
    # shellcheck disable=SC2086
    exec unshare $flags env JULIA_IN_WORLD=yes WORLD_MTA="$WORLD_MTA" bash "$script" "$@"
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
    mkdir -p "$base"/{bin,lib,logs,var/{spool,journal,index,run,review,capabilities},etc/{public,trusted,untrusted,private,ca}}
    [ ! -d "$BUILD/bin" ] || cp -R "$BUILD/bin/." "$base/bin"
    [ ! -d "$BUILD/lib" ] || cp -R "$BUILD/lib/." "$base/lib"
    cp "$SOURCE"/contrib/bin/* "$base/bin"
    cp "$SOURCE"/contrib/lib/* "$base/lib"
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
END
    mta_base >>"$WORLD_CONF"
    : >"$base/etc/julia.rules"
    chown -R $WORLD_USER: "$base/var" "$base/logs" "$base/etc/private"
    chmod 700 "$base/etc/private"
}

world_conf() { printf '%s\n' "$*" >>"$WORLD_CONF"; }
world_rules() { printf '%s\n' "$*" >"$WORLD/base/etc/julia.rules"; }

world_start() {
    WORLD=${WORLD_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/julia-world.XXXXXX")}
    WORLD_CONF=$WORLD/base/etc/julia.conf
    mkdir -p "$WORLD"
    chmod 755 "$WORLD"
    trap world_stop EXIT
    _world_network
    _world_user
    _world_base
    mta_front
    _start_sink external 2550
    _start_sink scanner 2530
    _start_sink internal 2540
    [ "${WORLD_SETUP-yes}" = no ] || world_setup >"$WORLD/log/setup.log" 2>&1 || { diag "$(cat "$WORLD/log/setup.log")"; return 1; }
    world_age
    mta_start || return 1
    wait_until 30 _listens 25
    wait_until 30 _listens 2550
    wait_until 30 _listens 2530
    wait_until 30 _listens 2540
}

_listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

world_stop() {
    local status=$? pid
    trap - EXIT
    [ -n "${WORLD-}" ] || return $status
    mta_stop
    for pid in ${_sink_pids-}; do kill "$pid" 2>/dev/null; done
    if [ "${WORLD_KEEP-}" = yes ]; then
        diag "kept: $WORLD"
    elif [ -z "${WORLD_DIR-}" ]; then
        cd / && rm -rf "$WORLD"
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

# "dsn=4.3.0, status=deferred (...)" says Postfix, "dsn=4.3.0, reply=451 ..., stat=Deferred: ..." Sendmail.
DEFERRED='dsn=4[.].*, stat'
BOUNCED='dsn=5[.].*, stat'
log_of() { if [ "$1" = front ]; then echo "$WORLD/log/front.log"; else echo "$WORLD/log/front-julia-$1.log"; fi; }

_contains() { grep -Eqs -- "$2" "$1"; }
wait_for_text() { # wait_for_text FILE REGEX [SECONDS]
    wait_until "${3-30}" _contains "$1" "$2" || { diag "not found in $1: $2"; return 1; }
}

_all_quiet() {
    local instance
    for instance in front external scanner internal; do [ -z "$(queue_ids $instance)" ] || return 1; done
}
wait_for_quiet() { wait_until "${1-30}" _all_quiet || { diag 'mail still waits'; diag "$("$WORLD/base/bin/mailq-all" -c "$WORLD_CONF" -j 2>&1)"; return 1; }; }

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
