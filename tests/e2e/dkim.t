#!/bin/bash
# docs/dkim.md as it is printed, with a real OpenDKIM: signing behind julia, verifying in front of it, signatures that come too early
# (DKIM_BROKEN); in Postfix, and in a Sendmail as external relay.
. "$(dirname "$0")/lib.sh"
DKIM=$("$SOURCE/tests/tools/fetch-opendkim" "$BUILD/tests/opendkim") || skip_all 'no OpenDKIM'
SM=$("$SOURCE/tests/tools/fetch-sendmail" "$BUILD/tests/sendmail") || diag 'no Sendmail: its lines are not tried'
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_conf='POLICY = both'
gate_start
D=$WORLD/dkim
M=$WORLD/m
mkdir "$D"
world_rules '.  (to) signed.example  (do) FS=mail@behoerde.de
.  (to) partner-1.com   (do) FE'

# ---- keys, and the pages' lines ---------------------------------------------------------------------------------------------

dns() { # dns SELECTOR DOMAIN: a key, and what DNS would say
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$D/$1.private" 2>/dev/null
    printf '%s._domainkey.%s v=DKIM1; k=rsa; p=%s\n' "$1" "$2" "$(openssl pkey -in "$D/$1.private" -pubout -outform DER | base64 -w0)" >>"$D/keys"
}
dns gate behoerde.de
dns early behoerde.de
dns partner partner-1.com

page() { # page NAME: the block behind <!-- NAME -->
    awk -v mark="<!-- $1 -->" '$0 == mark { found = 1; next } found && /^```/ { if (inside) exit; inside = 1; next } inside' "$SOURCE/docs/dkim.md"
}
milter() { # milter NAME PORT: OpenDKIM with the page's configuration
    { page "$1" | sed "s,/etc/opendkim/,$D/,"; printf 'TestPublicKeys %s\nSyslog no\nRequireSafeKeys no\n' "$D/keys"; } >"$D/$1.conf"
    "$DKIM/usr/sbin/opendkim" -f -x "$D/$1.conf" >>"$D/$1.log" 2>&1 &
    eval "pid_$1=$!"
    wait_until 30 _listens "$2" || diag "$(cat "$D/$1.log")"
}
milter signer 8892
milter verifier 8891
printf 'TestPublicKeys %s\nMode v\nSyslog no\n' "$D/keys" >"$D/look.conf"

settings() { # settings INSTANCE NAME: into its main.cf
    local line
    while read -r line; do postconf -c "$1" -e "$line"; done < <(page "$2")
}
settings /etc/postfix front
settings "$WORLD/queues/external/etc" external-queue
world_age
postfix reload 2>/dev/null
postfix -c "$WORLD/queues/external/etc" reload 2>/dev/null

# How OpenDKIM itself judges a message in a file: "DOMAIN/SELECTOR good|bad ..." for the first signature that it looks at.
judge() { "$DKIM/usr/sbin/opendkim" -x "$D/look.conf" -t "$1" 2>&1 | tr -d '\r' | sed -n 's/.*verification (s=\([^, ]*\),\{0,1\} d=\([^,]*\),.*) succeeded.*/\2\/\1 good/p; s/.*verification (s=\([^ ,]*\),\{0,1\} d=\([^,]*\),.*failed.*/\2\/\1 bad/p'; }
early() { # early DOMAIN SELECTOR FILE: a system in front of julia that signs
    sed -i 's/\r*$/\r/' "$3"
    "$DKIM/usr/sbin/opendkim-testmsg" -d "$1" -s "$2" -k "$D/$2.private" <"$3" | sed 's/\r*$/\r/' >"$3.new" && mv "$3.new" "$3"
}
signatures() { sed '/^\r*$/,$d' "$1" | grep -c '^DKIM-Signature:'; }
only() { # only SINK: the one message that came there
    wait_for_sink "$1" 1 60 && wait_for_quiet 60
    sink_message "$1" 1
}

# ---- behind julia ----------------------------------------------------------------------------------------------------------------

for to in b@signed.example anna@partner-1.com c@clear.example; do
    letter "$M" user_1@behoerde.de $to "to $to"
    out "$M" $to
    f=$(only external)
    is "$(judge "$f")" 'behoerde.de/gate good' "$to: the signature holds"
    reset
done
letter "$M" user_1@behoerde.de b@signed.example 'signer down'
kill "$pid_signer"
wait_until 30 eval '! _listens 8892'
out "$M" b@signed.example
wait_for_text "$J" 'handoff target=external .*result=(taken|failed)' 60
is "$(sink_count external)" 0 'while the signer is down nothing leaves'
milter signer 8892
tries() { flush_mail; postfix -c "$WORLD/queues/external/etc" reload 2>/dev/null; wait_for_sink external 1 3 2>/dev/null >&2; }
wait_until 120 tries
is "$(judge "$(sink_message external 1)")" 'behoerde.de/gate good' '... and when it is back the mail leaves, signed'
only_once external 1 '... once'
reset

# ---- signatures that come too early ------------------------------------------------------------------------------------------------

mixed() { # mixed TO [SUBJECT]: signed by the own domain and by another one
    letter "$M" user_1@behoerde.de "$1" "${2-early}"
    early behoerde.de early "$M"
    early partner-1.com partner "$M"
}
mixed b@signed.example
is "$(signatures "$M") $(judge "$M")" '2 partner-1.com/partner good' 'a mail comes signed by DKIM twice'
gate_explain 10.1.0.7 user_1@behoerde.de b@signed.example <"$M" >"$WORLD/explained"
like "$(cat "$WORLD/explained")" '^# the DKIM-Signature of behoerde.de would not hold any more, and is removed' '-explain says what becomes of it'
out "$M" b@signed.example,anna@partner-1.com,c@clear.example
wait_for_sink external 3 60
wait_for_quiet 60
for n in 1 2 3; do
    f=$(sink_message external $n)
    echo "$(sink_envelope external $n | cut -d' ' -f2) $(sed '/^\r*$/,$d' "$f" | grep -o ' d=[^;]*; s=[^;]*' | sort | tr -d '\n')"
done | sort >"$WORLD/left"
is "$(cat "$WORLD/left")" 'anna@partner-1.com  d=behoerde.de; s=gate d=partner-1.com; s=partner
b@signed.example  d=behoerde.de; s=gate d=partner-1.com; s=partner
c@clear.example  d=behoerde.de; s=early d=behoerde.de; s=gate d=partner-1.com; s=partner' \
    'removed where julia changed the mail; what passes unchanged keeps all; foreign ones stay'
is "$(gate_log 'dkim-removed domain=behoerde.de')" 1 'the log says so once'
reset
mixed c@clear.example
sed -i "/^DKIM-Signature.*\$/,/^From:/{/^From:/!d}" "$M"
early behoerde.de early "$M"
out "$M" c@clear.example
f=$(only external)
sed '/s=gate/,/^[^[:space:]]/{/^[^[:space:]D]/!d}' "$f" >"$M.without"
like "$(cat "$f")" 's=early' 'unchanged mail: the early signature is there'
is "$(judge "$M.without")" 'behoerde.de/early good' '... and holds'
reset
mixed b@signed.example
gate_configure 'DKIM_BROKEN = keep'
out "$M" b@signed.example
f=$(only external)
is "$(signatures "$f") $(gate_log dkim-removed)" '3 0' 'DKIM_BROKEN=keep: all leave'
reset
mixed b@signed.example
gate_configure 'DKIM_BROKEN = refuse'
out "$M" b@signed.example,c@clear.example
wait_for_sink internal 1 60
wait_for_quiet 60
is "$(deliveries external)" '1 c@clear.example' 'DKIM_BROKEN=refuse: only unchanged mail leaves'
like "$(cat "$(sink_message internal 1)")" 'Status: 5.7.7' '... the sender gets a report'
like "$(cat "$(sink_message internal 1)")" 'Domain: behoerde.de' '... that says why'
gate_configure ''
reset

# ---- in front of julia -----------------------------------------------------------------------------------------------------------------

TO=user_1@behoerde.de
FROM=anna@partner-1.com
FOREIGN='Authentication-Results: list.example; dkim=fail (odd   blanks)
	header.d=x.example;  spf=pass'
encrypted() { # encrypted FILE [FIELD...]: signed by DKIM as it leaves the partner, fields added on the way
    local file=$1
    shift
    {
        printf 'From: %s\r\nTo: %s\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%s@partner-1.com>\r\nSubject: x\r\n' $FROM $TO "$RANDOM$RANDOM"
        printf 'Content-Type: text/plain\r\n\r\nHello\r\n' | openssl cms -encrypt -aes-256-gcm "$PKI/user_1.crt" 2>"$WORLD/openssl"
    } >"$file"
    early partner-1.com partner "$file"
    { [ $# = 0 ] || printf '%s\n' "$@"; cat "$file"; } >"$file.new" && mv "$file.new" "$file"
}
results() { # results FILE: its Authentication-Results fields, unfolded
    tr -d '\r' <"$1" | sed '/^$/,$d' | awk '/^[ \t]/ { line = line $0; next } { if (line ~ /^Authentication-Results:/) print line; line = $0 } END { if (line ~ /^Authentication-Results:/) print line }'
}
encrypted "$M" "$FOREIGN" 'Authentication-Results: mx.behoerde.de; dkim=pass header.d=forged.example' \
    'Authentication-Results: gate.behoerde.de; smime=pass'
in_ "$M" $TO
f=$(only internal)
like "$(body "$f")" '^Hello' 'incoming: decrypted'
is "$(results "$f" | grep -c 'mx.behoerde.de')" 1 'one result of the verifier'
like "$(results "$f")" '^Authentication-Results: mx.behoerde.de;[[:space:]]*dkim=pass .*header.d=partner-1.com' '... dkim=pass survives decryption'
is "$(results "$f" | grep -c -e forged.example -e 'gate.behoerde.de')" 0 'forged results of the verifier and of julia are gone'
tr -d '\r' <"$f" | grep -F -A 1 'list.example' >"$WORLD/foreign"
is "$(cat "$WORLD/foreign")" "$FOREIGN" 'a result of another host stays octet for octet'
is "$(signatures "$f") $(judge "$f")" '1 partner-1.com/partner bad' "the sender's signature stays, though it does not hold for the text"
reset
gate_configure 'DELIVER = original'
encrypted "$M"
in_ "$M" $TO
is "$(judge "$(only internal)")" 'partner-1.com/partner good' 'DELIVER=original: it holds'
gate_configure 'DELIVER = reencrypt'
reset
encrypted "$M" "$FOREIGN"
in_ "$M" $TO
f=$(only internal)
is "$(results "$f" | cut -d';' -f1 | sort | tr -d '\n')" 'Authentication-Results: list.exampleAuthentication-Results: mx.behoerde.de' 'DELIVER=reencrypt: results stand outside'
decrypt user_1 "$f" "$WORLD/opened"
like "$(cat "$WORLD/opened")" '^Hello' '... of what is encrypted anew'
gate_configure ''
reset
encrypted "$M"
sed -i 's/^Subject: x/Subject: y/' "$M"
in_ "$M" $TO
like "$(results "$(only internal)")" 'mx.behoerde.de;[[:space:]]*dkim=fail' 'tampered with on the way: dkim=fail'
reset

# ---- Sendmail -----------------------------------------------------------------------------------------------------------------------

relay() { # relay NAME PORT: a Sendmail in front of the external sink, with the page's lines
    mkdir -p "$D/$1.queue"
    cat >"$D/$1.mc" <<END
include(\`$SM/cf/m4/cf.m4')dnl
OSTYPE(\`linux')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`promiscuous_relay')dnl
DAEMON_OPTIONS(\`Name=x, Addr=127.0.0.1, Port=$2')dnl
define(\`QUEUE_DIR', \`$D/$1.queue')dnl
define(\`confPID_FILE', \`$D/$1.pid')dnl
define(\`STATUS_FILE', \`$D/$1.st')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confSERVICE_SWITCH_FILE', \`$D/switch')dnl
define(\`SMART_HOST', \`relay:[127.0.0.1]')dnl
define(\`RELAY_MAILER_ARGS', \`TCP \$h 2550')dnl
$(page "$1")
MAILER(\`smtp')dnl
END
    echo 'hosts files' >"$D/switch"
    : >"$D/$1.st"
    m4 -D_CF_DIR_="$SM/cf/" "$D/$1.mc" >"$D/$1.cf" 2>"$D/$1.m4" || diag "$(cat "$D/$1.m4")"
    SYSLOG_FILE=$D/$1.log "$SM/bin/sendmail" -C"$D/$1.cf" -bd 2>&1 | sed 's/^/# /'
    wait_until 60 _listens "$2" || diag "$(cat "$D/$1.log")"
}
if [ -n "$SM" ]; then
    relay sendmail-signer 2551
    relay sendmail-verifier 2552
    letter "$M" user_1@behoerde.de b@signed.example sendmail
    send_mail local user_1@behoerde.de b@signed.example "$M" --server 127.0.0.1:2551 >"$WORLD/smtp"
    is "$(judge "$(only external)")" 'behoerde.de/gate good' 'Sendmail as external relay signs'
    reset
    encrypted "$M"
    send_mail external $FROM $TO "$M" --server 127.0.0.1:2552 >"$WORLD/smtp"
    like "$(results "$(only external)")" 'mx.behoerde.de;[[:space:]]*dkim=pass' 'Sendmail in front verifies'
    for n in sendmail-signer sendmail-verifier; do kill "$(head -n 1 "$D/$n.pid")"; done
fi
kill "$pid_signer" "$pid_verifier"
[ $tap_failed = 0 ] || world_log
[ $tap_failed = 0 ] || diag "$(tail -n 20 "$D"/*.log "$D"/*.m4)"
done_testing
