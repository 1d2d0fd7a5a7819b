#!/bin/bash
# How Sendmail calls julia: the definition of the operating concept pasted into a plain sendmail.mc, and the one that
# julia-sendmail-setup makes. A retry from the queue must be classified as the first try was, over both families.
WORLD_MTA=sendmail
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
world_start || { world_log; exit 1; }
world_conf 'SMIME_ENGINE = 0'
JULIA_LOG=$WORLD/base/logs/julia.log
MC=$WORLD/mail/sendmail.mc
CF=$WORLD/mail/sendmail.cf

letter() { # letter FILE [HEADER LINE]...
    local file=$1
    shift
    printf '%s\n' 'From: user_1@behoerde.de' 'To: anna@partner-1.com' 'Subject: t' "$@" '' 'body' >"$file"
}
letter "$WORLD/m"

# Sendmail without julia's lines, and the concept's mailer put in by hand.
paste_concept() {
    sed '/^dnl # ---- julia, by/,/^dnl # ---- julia: end/d' "$MC" >"$WORLD/pasted.mc"
    cat >>"$WORLD/pasted.mc" <<END
define(\`SMART_HOST', \`julia:julia')dnl
define(\`confDEF_USER_ID', \`$WORLD_USER:$WORLD_USER')dnl
MAILER_DEFINITIONS
Mjulia,		P=$WORLD/base/bin/julia, F=sDFmMoqeu9, D=\$z:/,
		T=X-Unix/X-Unix/X-Unix,
		A=$WORLD/base/bin/julia -c $WORLD_CONF -client \${client_addr} -readmail \$u
END
    world_setup --stop >/dev/null 2>&1
    (cd "$WORLD/mail" && m4 "$WORLD/pasted.mc") >"$CF"
    sendmail -L sm-mta -C"$CF" -bd
    wait_until 30 _listens 25
}

# ---- the first try and the next ----------------------------------------------------------------------------------------
decisions() { grep 'event=message ' "$JULIA_LOG" 2>/dev/null | sed 's/.* direction=\([^ ]*\) client=\([^ ]*\) .*/\1 \2/'; }
_decided() { [ "$(decisions | wc -l)" -ge "$1" ]; }

# The queues of the targets are shut at the first try and open at the second: both must come to the same decision.
twice() { # twice NAME "DIRECTION CLIENT" send_mail ARGUMENTS...
    local name=$1 expected=$2 before
    shift 2
    before=$(decisions | wc -l)
    chmod 0 "$WORLD/queues/"{external,internal}
    like "$("$@")" '^250' "$name: accepted"
    wait_until 60 _decided $((before + 1))
    wait_until 60 _waits_in_front
    chmod 700 "$WORLD/queues/"{external,internal}
    sendmail -C"$CF" -q
    wait_until 60 _decided $((before + 2))
    is "$(decisions | tail -n +$((before + 1)) | sort | uniq -c | sed 's/^ *//')" "2 $expected" "$name: both tries"
    wait_for_quiet
}
_waits_in_front() { grep -qs '^N[1-9]' "$WORLD"/mail/mqueue/qf*; }

every_client() { # every_client NAME
    letter "$WORLD/m"
    twice "$1, internal client" 'outgoing 10.1.0.7' send_mail internal user_1@behoerde.de anna@partner-1.com "$WORLD/m"
    twice "$1, internal to internal" 'internal 10.1.0.7' send_mail internal user_1@behoerde.de user_2@behoerde.de "$WORLD/m"
    twice "$1, external client" 'incoming 203.0.113.9' send_mail external anna@partner-1.com user_1@behoerde.de "$WORLD/m"
    twice "$1, external client, null sender" 'incoming 203.0.113.9' send_mail external '<>' user_1@behoerde.de "$WORLD/m"
    twice "$1, a HELO that lies" 'incoming 203.0.113.9' \
        send_mail external anna@partner-1.com user_1@behoerde.de "$WORLD/m" --helo '[10.1.0.7]'
    twice "$1, a HELO like the MTA's own words" 'incoming 203.0.113.9' \
        send_mail external anna@partner-1.com user_1@behoerde.de "$WORLD/m" --helo 'localhost(localhost)by(gate.behoerde.de)'
    twice "$1, submitted here" 'outgoing local' submit root@behoerde.de anna@partner-1.com
    [ "$WORLD_IPV6" = yes ] || return 0
    twice "$1, internal client, IPv6" 'outgoing fd00:1::7' send_mail internal6 user_1@behoerde.de anna@partner-1.com "$WORLD/m"
    twice "$1, external client, IPv6" 'incoming 2001:db8::9' send_mail external6 anna@partner-1.com user_1@behoerde.de "$WORLD/m"
}
submit() { submit_mail "$1" "$2" "$WORLD/m" && echo 250; }

# A notice of Sendmail's own has no client: its retry must not wait for ever, nor be taken for relaying.
own_notice() { # own_notice NAME
    local before
    before=$(sink_count external)
    chmod 0 "$WORLD/queues/"{external,internal}
    letter "$WORLD/m"
    send_mail external anna@partner-1.com user_1@behoerde.de "$WORLD/m" >/dev/null
    wait_until 60 _waits_in_front
    wait_until 60 _expired
    chmod 700 "$WORLD/queues/"{external,internal}
    wait_until 60 _has_left $((before + 1))
    wait_for_quiet
    is "$(sink_envelope external $((before + 1)))" '<> anna@partner-1.com' "$1: a notice of the receiving instance leaves"
    is "$(decisions | tail -n 2 | uniq -c | sed 's/^ *//')" '2 notice local' "$1: as a notice of this host, at both tries"
    is "$(sed '/^\r$/q' "$(sink_message external $((before + 1)))" | grep -c '^\(Date\|From\|Message-Id\): ')" 3 \
        "$1: with the fields a message needs"
}
_has_left() { # a queue run passes over what another one is at: then the next one takes it
    sendmail -C"$CF" -q
    _sink_has external "$1"
}
_expired() { # the letter once it is a second old, never the notice
    sendmail -C"$CF" -OTimeout.queuereturn=1s -OTimeout.queuereturn.dsn=1d -q
    _notice_waits
}
_notice_waits() { # one file has both: the letter itself may still wait beside a notice that was not tried yet
    local file
    for file in "$WORLD"/mail/mqueue/qf*; do
        grep -qs '^\$_localhost$' "$file" && grep -qs '^N[1-9]' "$file" && return 0
    done
    return 1
}

# What Sendmail does to recipients, to the message and to its user.
traps() { # traps NAME
    local name=$1 before
    before=$(sink_count external)
    letter "$WORLD/m"
    send_mail internal user_1@behoerde.de '"carl x"@partner-1.com,"q\"u\\o"@partner-1.com,"a@b"@partner-1.com' "$WORLD/m" >/dev/null
    wait_for_sink external $((before + 1))
    is "$(sink_envelope external $((before + 1)))" \
        'user_1@behoerde.de "a@b"@partner-1.com,"carl x"@partner-1.com,"qu\\o"@partner-1.com' "$name: quoted recipients (the sink drops \\\")"
    send_mail internal '"ann a"@behoerde.de' anna@partner-1.com "$WORLD/m" >/dev/null
    wait_for_sink external $((before + 2))
    is "$(sink_envelope external $((before + 2)))" '"ann a"@behoerde.de anna@partner-1.com' "$name: a quoted sender"
    is "$(grep -c '^From user_1' "$(sink_message external $((before + 1)))")" 0 "$name: no line \"From SENDER date\""
    is "$(grep -ci '^X-Authentication-Warning' "$(sink_message external $((before + 1)))")" 0 "$name: no warnings with paths"
    signed_mail "$name"
    wait_for_quiet
}

make_signed() { # in DIRECTORY: a clear and an opaque letter, and a plain one, all with quoted-printable text
    (
        cd "$1" || exit
        openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=x -days 2 2>/dev/null
        printf 'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n' >part
        fields='From: anna@partner-1.com\nTo: user_1@behoerde.de\nSubject: t\n'
        { printf "$fields" && openssl cms -sign -signer cert.pem -inkey key.pem -in part -binary -md sha256; } >clear
        { printf "$fields" && openssl cms -sign -nodetach -signer cert.pem -inkey key.pem -in part -binary -md sha256; } >opaque
        { printf "$fields" && printf 'MIME-Version: 1.0\n' && cat part; } >plain
    )
}

signed_mail() { # signed_mail NAME: incoming signatures are as good as they came
    local form before
    before=$(sink_count internal)
    for form in clear opaque plain; do
        send_mail external anna@partner-1.com user_1@behoerde.de "$WORLD/signed/$form" >/dev/null
        before=$((before + 1))
        wait_for_sink internal $before
        cp "$(sink_message internal $before)" "$WORLD/signed/got-$form"
        [ $form = plain ] || openssl cms -verify -noverify -in "$WORLD/signed/got-$form" -out /dev/null 2>/dev/null
        ok $? "$1: $form arrives whole"
    done
}
mkdir "$WORLD/signed"
make_signed "$WORLD/signed"

# Who writes a sender with an account on this host must not choose whom julia runs as. (Everything julia writes is its user's.)
sender_is_user() { # sender_is_user NAME
    local before
    before=$(sink_count external)
    send_mail internal bin@gate.behoerde.de anna@partner-1.com "$WORLD/m" >/dev/null
    wait_for_sink external $((before + 1))
    is "$(sink_envelope external $((before + 1)))" 'bin@gate.behoerde.de anna@partner-1.com' "$1: a sender with an account here"
}

every_client recommended
own_notice recommended
traps recommended
like "$(cat "$WORLD/signed/got-plain")" 'Gr=C3=BC' 'recommended: quoted-printable stays'
sender_is_user recommended
is "$(find "$WORLD/base/var" "$WORLD/base/logs" ! -user $WORLD_USER | wc -l)" 0 'recommended: julia always runs as its own user'
world_setup --mailer concept --start >"$WORLD/log/concept.log" 2>&1
wait_until 30 _listens 25
like "$(grep '^Mjulia' "$CF")" 'F=sDFmMoqeu9, D=\$z:/,' 'set-up with --mailer concept: the definition is that of the concept'
twice 'set up as concept, external client' 'incoming 203.0.113.9' send_mail external anna@partner-1.com user_1@behoerde.de "$WORLD/m"
sender_is_user 'set up as concept'
paste_concept
every_client pasted
own_notice pasted
traps pasted
like "$(cat "$WORLD/signed/got-plain")" '^Content-Transfer-Encoding: 8bit' 'pasted: flag 9 decodes a plain letter, and only that'
[ "$tap_failed" = 0 ] || world_log
done_testing
