#!/bin/bash
# docs/troubleshooting.md: its commands are typed as they are printed, on a gateway that works and, where the page says so, on one that
# does not; what they print is what the page shows.
WORLD_MTA=postfix
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
. "$E2E/document.sh"
PAGE=$SOURCE/docs/troubleshooting.md
M=$WORLD/m

# The neighbours' addresses are this host's, their port 25 is that of the sinks.
document_here() {
    sed -e "s#/etc/postfix-julia-\([a-z]*\)#$WORLD/queues/\1/etc#g" -e 's#/dev/tcp/192\.0\.2\.25/25#/dev/tcp/127.0.0.1/$SINK#'
}
document_there() {
    sed -e "s#$WORLD/base#/opt/julia#g; s#$WORLD/queues/\([a-z]*\)/etc#/etc/postfix-julia-\1#g" \
        -e 's#^\[127\.0\.0\.1\]:2550$#[192.0.2.25]:25#; s#^\[127\.0\.0\.1\]:2540$#[10.1.0.7]:25#'
}
curl() { command curl --interface "$FROM" "$@"; }
export -f curl
export FROM SINK=2550

service_again() { # service_again NAME: after it was stopped
    _service "$1"
    wait_until 20 eval 'run_as "$B/julia" -c "$WORLD_CONF" -check >/dev/null 2>&1'
}
document_before() {
    FROM=$(printf '%s\n' "$1" | sed -n 's/.*(\([0-9.]*\)).*/\1/p')
    [ "$broken" = no ] || { eval "$broken"; broken=no; }
    case $1 in
    'Both arrived?'*) wait_for_sink external 1 && wait_for_sink internal 1 && wait_for_quiet ;;
    'When one does not run:'*)
        kill $pid_trust
        wait $pid_trust 2>/dev/null
        broken='service_again trust' ;;
    'When a key cannot be read'*)
        install -m 644 -o julia-keys-file "$WORLD/base/etc/private/mail.pem" "$WORLD/base/etc/private/new.pem"
        broken='rm "$WORLD/base/etc/private/new.pem"' ;;
    'When nobody listens'*) SINK=2559 broken='SINK=2550' ;;
    'When one does not run, its mail'*)
        postfix -c "$WORLD/queues/scanner/etc" stop 2>/dev/null
        broken='postfix -c "$WORLD/queues/scanner/etc" start 2>/dev/null' ;;
    'When a line is wrong'*)
        echo '. (to) . (do) FX' >>"$WORLD/base/etc/julia.rules"
        broken='sed -i "\$d" "$WORLD/base/etc/julia.rules"' ;;
    "julia's log has"*)
        letter "$M" user_1@behoerde.de anna@partner-1.com,expired@partner-1.com 'both'
        out "$M" anna@partner-1.com,expired@partner-1.com
        wait_for_sink external 2
        wait_for_quiet ;;
    'When something waits'*)
        kill $pid_trust
        wait $pid_trust 2>/dev/null
        letter "$M" user_1@behoerde.de anna@partner-1.com 'waits'
        out "$M" anna@partner-1.com
        wait_for_text "$WORLD/log/front.log" 'status=deferred' ;;
    'For monitoring;'*) wait_until 20 eval '! run_as "$B/mailq-all" -q -a 1s 2>/dev/null' ;;
    'After the cause'*) service_again trust ;;
    esac
}
broken=no

gate_start
[ -d /opt ] || skip_all 'there is no /opt'
mkdir "$WORLD/opt"
ln -s "$WORLD/base" "$WORLD/opt/julia"
mount --bind "$WORLD/opt" /opt
cp "$SOURCE/modules/protocol.rng" "$WORLD/base/lib"
ip addr add 192.0.2.25/32 dev lo
ip addr add 198.51.100.7/32 dev lo
gate_conf='#SMIME_ENGINE = 2'
gate_services
printf 'Content-Type: text/plain\r\n\r\nA letter.\r\n' >"$WORLD/text"
openssl cms -encrypt -aes-256-gcm -in "$WORLD/text" -from anna@partner-1.com -to user_1@behoerde.de -subject in "$PKI/user_2.crt" >"$WORLD/encrypted.eml"
world_rules '. (to) . (do) FS=mail@behoerde.de
. (to) partner-1.com (do) FE,FS'
run_as "$B/julia" -c "$WORLD_CONF" -check >/dev/null # wait for the services
for step in 1 2 3 4 5 6 7; do document_run "$PAGE" "^## $step\. "; done
wait_until 60 eval '[ "$(sink_count external)" -ge 3 ]'
ok $? 'deliver-all: what waited has left'
[ "$tap_failed" = 0 ] || world_log
umount /opt
done_testing
