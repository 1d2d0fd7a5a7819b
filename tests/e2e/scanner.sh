# A real virus scanner in the world of lib.sh: clamd behind clamsmtpd, which is an SMTP server in front of another one. The queue
# "scanner" sends to it, and what it lets through comes back to the main instance from 10.2.0.2, which is in SCANNER_CLIENTS.
# Signatures are self-made: EICAR's test file, and JULIA-TEST-VIRUS anywhere in a file. Source it after gateway.sh.
#
#   scanner_enter "$0" "$@"       before world_enter: skips the script when the scanner cannot be had
#   gate_start_scanned            gate_start with MODE=gateway and the scanner running
#   scanner_stop, scanner_start   e.g. to let it stand still
#   scanner_queue PARAMETER...    sets them in the queue to the scanner (Postfix only)
#   scanner_hop PYTHON            (Postfix only) another scanner instead: it returns what smtp-hop.py makes of the mail by this text
#   virus                         prints EICAR's test file
#   infected FILE FROM TO SUBJECT     makes a letter with it as an attachment

# shellcheck shell=bash
SCANNER_PORT=2535

scanner_enter() { # scanner_enter "$0" "$@"
    [ -z "${JULIA_IN_WORLD-}" ] || return 0
    local why
    command -v dpkg >/dev/null || skip_all 'no virus scanner: this needs Debian packages'
    why=$("$SOURCE/tests/tools/fetch-scanner" "$BUILD/../tests/scanner" 2>&1 >/dev/null) || skip_all "no virus scanner: $why"
}

virus() { printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$' 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'; }

infected() { # infected FILE FROM TO SUBJECT
    {
        printf 'From: %s\nTo: %s\nSubject: %s\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMessage-ID: <%s@virus.example>\nMIME-Version: 1.0\n' \
            "$2" "$3" "$4" "$RANDOM$RANDOM"
        printf 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nINFECTED-TEXT\n--b\nContent-Type: application/octet-stream\n'
        printf 'Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="eicar.com"\n\n'
        virus | base64
        printf -- '--b--\n'
    } >"$1"
}

_scanner_files() {
    local d=$WORLD/scanner
    mkdir -p "$d"/{db,tmp}
    cp "$BUILD/../tests/scanner/"* "$d"
    printf 'Test.Eicar:0:0:%s\nTest.Marker:0:*:%s\n' "$(virus | od -An -v -tx1 | tr -d ' \n')" \
        "$(printf JULIA-TEST-VIRUS | od -An -v -tx1 | tr -d ' \n')" >"$d/db/test.ndb"
    cat >"$d/clamd.conf" <<END
LogFile $d/clamd.log
Foreground yes
TemporaryDirectory $d/tmp
DatabaseDirectory $d/db
OfficialDatabaseOnly no
LocalSocket $d/clamd.sock
LocalSocketMode 666
FixStaleSocket yes
SelfCheck 0
MaxThreads 4
END
    cat >"$d/clamsmtpd.conf" <<END
OutAddress: 10.2.0.2:${SCANNER_OUT-25}
Listen: 127.0.0.1:$SCANNER_PORT
ClamAddress: $d/clamd.sock
TempDirectory: $d/tmp
Header: X-Virus-Scanned: ClamAV using ClamSMTP
Action: bounce
XClient: off
END
    chown -R nobody: "$d"
}

_scanner_run() { # _scanner_run PROGRAM ARGUMENT...: as nobody, who reads what clamsmtpd gives clamd by name
    (cd "$WORLD/scanner" && exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$@" >>"$WORLD/log/scanner.log" 2>&1) &
    _scanner_pids="${_scanner_pids-} $!"
}

scanner_start() {
    _scanner_run ./clamd -c "$WORLD/scanner/clamd.conf"
    wait_until 60 test -S "$WORLD/scanner/clamd.sock" || { diag "no clamd: $(tail "$WORLD/log/scanner.log")"; return 1; }
    _scanner_run ./clamsmtpd -d 1 -f "$WORLD/scanner/clamsmtpd.conf"
    wait_until 60 _listens $SCANNER_PORT || { diag "no clamsmtpd: $(tail "$WORLD/log/scanner.log")"; return 1; }
}

_scanner_gone() { ! _listens $SCANNER_PORT; }
scanner_stop() {
    # shellcheck disable=SC2086
    kill $_scanner_pids
    _scanner_pids=
    wait_until 60 _scanner_gone
    rm -f "$WORLD/scanner/clamd.sock"
}

scanner_hop() { # scanner_hop PYTHON
    printf '%s\n' "$1" >"$WORLD/scanner/hop.conf"
    if [ -z "${_hop_pid-}" ]; then
        TMPDIR=$WORLD/scanner python3 "$E2E/smtp-hop.py" $((SCANNER_PORT + 1)) 10.2.0.2:25 10.2.0.2 "$WORLD/scanner/hop.conf" 2>>"$WORLD/log/scanner.log" &
        _hop_pid=$!
        wait_until 60 _listens $((SCANNER_PORT + 1))
    fi
    scanner_queue "relayhost = [127.0.0.1]:$((SCANNER_PORT + 1))"
}

scanner_queue() { # scanner_queue PARAMETER...: in main.cf of the queue to the scanner
    postconf -c "$WORLD/queues/scanner/etc" -e "$@"
    world_age
    postfix -c "$WORLD/queues/scanner/etc" reload 2>/dev/null
}

# The queue sends to the scanner, and the main instance takes what comes from it.
_scanner_connect() {
    if [ "$WORLD_MTA" = sendmail ]; then # which listens on all addresses
        mta_stop
        world_setup -s "[127.0.0.1]:$SCANNER_PORT" --start >"$WORLD/log/start.log" 2>&1 || diag "$(cat "$WORLD/log/start.log")"
        wait_until 30 _listens_scanned
        return
    fi
    postconf -c /etc/postfix -Me '10.2.0.2:25/inet=10.2.0.2:25 inet n - n - - smtpd'
    scanner_queue "relayhost = [127.0.0.1]:$SCANNER_PORT"
    postfix -c /etc/postfix reload 2>/dev/null
    wait_until 30 _listens_scanned
}
_listens_scanned() { (exec 3<>/dev/tcp/10.2.0.2/25) 2>/dev/null; }

gate_start_scanned() {
    gate_conf="MODE = gateway
HOLD_DIR = var/hold
${gate_conf-}"
    gate_start
    install -d -o $WORLD_USER -m 700 "$WORLD/base/var/hold"
    _scanner_files
    _scanner_connect
    scanner_start || { world_log; exit 1; }
}
