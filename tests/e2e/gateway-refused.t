#!/bin/bash
# Mail that must be encrypted, for people without a usable certificate: nothing leaves, the employee reads why in his language, in a
# report that programs understand, too.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
gate_start
ME=user_1@behoerde.de
M=$WORLD/m

issue() { # issue NAME ADDRESS EXTENDED-KEY-USAGE: a certificate for anna's key
    openssl req -new -key "$PKI/anna.key" -subj "/CN=$1" -config /dev/null -out "$WORLD/csr" 2>/dev/null ||
        printf '[req]\ndistinguished_name=d\n[d]\n' | openssl req -new -key "$PKI/anna.key" -subj "/CN=$1" -config /dev/stdin -out "$WORLD/csr"
    printf 'subjectAltName=email:%s\nextendedKeyUsage=%s\nkeyUsage=%s\nbasicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\n' "$2" "$3" "$4" >"$WORLD/ext"
    openssl x509 -req -in "$WORLD/csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -set_serial 0x$RANDOM -days 30 -extfile "$WORLD/ext" \
        -out "$WORLD/base/etc/public/$1.pem" 2>/dev/null || diag "no certificate $1"
}
issue wronguse wronguse@partner-1.com emailProtection digitalSignature
issue website website@partner-1.com serverAuth keyEncipherment
issue other somebody.else@partner-1.com emailProtection keyEncipherment
mv "$WORLD/base/etc/public/other.pem" "$WORLD/base/etc/public/other@partner-1.com.pem"
ALL='nobody expired future revoked stranger wronguse website other'
world_rules '.  (to) partner-1.com   (do) FE
.  (to) forbidden.example (do) REJECT "not to them"
.  (to) asbefore.example (do) FE=wronguse@partner-1.com'

# report LANGUAGE: checks the newest message of the internal sink as programs see it; prints "RECIPIENT STATUS DIAGNOSTIC" a line.
cat >"$WORLD/report.py" <<'END'
import email, email.policy, re, sys
octets = open(sys.argv[1], "rb").read()
assert octets.isascii(), "not seven bits"
assert max(map(len, octets.split(b"\r\n"))) <= 998, "long lines"
m = email.message_from_bytes(octets, policy=email.policy.default)
defects = [d for p in m.walk() for d in p.defects] + [d for h in m.values() for d in getattr(h, "defects", [])]
assert not defects, defects
assert m.get_content_type() == "multipart/report" and m.get_param("report-type") == "delivery-status", m["Content-Type"]
assert m["Auto-Submitted"] == "auto-replied" and m["MIME-Version"] == "1.0"
for name in ("From", "To", "Subject", "Date", "Message-ID"):
    assert len(m.get_all(name)) == 1, name
assert m["References"], "no References"
text, status, head = m.iter_parts()
assert text.get_content_type() == "text/plain" and text.get_content_charset() == "utf-8"
assert status.get_content_type() == "message/delivery-status"
assert head.get_content_type() == "text/rfc822-headers"
groups = status.get_payload()
assert groups[0]["Reporting-MTA"] == "dns; gate.behoerde.de", groups[0].items()
open(sys.argv[2], "w").write(m["Subject"] + "\n\n" + text.get_content())
for g in groups[1:]:
    assert g["Action"] == "failed", g.items()
    print(re.sub("^rfc822; ", "", g["Final-Recipient"]), g["Status"], re.sub("^x-julia; ", "", g["Diagnostic-Code"]).split()[0])
END
report() { python3 "$WORLD/report.py" "$(sink_message internal "$1")" "$WORLD/text" 2>"$WORLD/python" | sort || diag "$(cat "$WORLD/python")"; }

for language in en de; do
    gate_configure "LANGUAGE = $language"
    letter "$M" $ME 'many@partner-1.com' "$(printf 'Vertr\303\244ge')" "X-$language: y"
    to=
    for n in $ALL; do to=$to,$n@partner-1.com; done
    out "$M" "${to#,},anna@partner-1.com,b@forbidden.example"
    wait_for_sink internal 1
    wait_for_quiet
    is "$(sink_count external) $(sink_envelope external 1)" "1 $ME anna@partner-1.com" "$language: only who can get it encrypted gets it"
    is "$(sink_count internal) $(sink_envelope internal 1)" "1 <> $ME" "$language: one report, from the null sender, by the internal relay"
    is "$(report 1)" 'b@forbidden.example 5.7.1 rejected
expired@partner-1.com 5.7.5 expired
future@partner-1.com 5.7.5 not-yet-valid
nobody@partner-1.com 5.7.5 no-certificate
other@partner-1.com 5.7.5 no-certificate
revoked@partner-1.com 5.7.5 revoked
stranger@partner-1.com 5.7.5 no-path
website@partner-1.com 5.7.5 wrong-use
wronguse@partner-1.com 5.7.5 wrong-use' "$language: a whole RFC 3464 report" || diag "$(cat "$WORLD/python")"
    ! grep -q 'A letter' "$(sink_message internal 1)"
    ok $? "$language: without the letter's text"
    ! grep -q '\${\|^ *$Detail: *$' "$WORLD/text"
    ok $? "$language: no value is missing in the text"
    if [ $language = de ]; then
        like "$(cat "$WORLD/text")" 'Nicht zugestellt: Verträge' 'German text'
        like "$(cat "$WORLD/text")" 'abgelaufen' '... about certificates'

    else
        like "$(cat "$WORLD/text")" 'Not delivered: Verträge' 'English text'
        like "$(cat "$WORLD/text")" 'expired' '... about certificates'
    fi
    like "$(cat "$WORLD/text")" 'not to them' "$language: the rule's own words"
    reset
done

# PARTIAL = all: one cannot, nobody gets it.
gate_configure 'PARTIAL = all'
letter "$M" $ME 'anna@partner-1.com, nobody@partner-1.com' 'all or none'
out "$M" anna@partner-1.com,nobody@partner-1.com,c@clear.example
wait_for_sink internal 1
wait_for_quiet
is "$(report 1 | grep -c partner-1)" 2 'PARTIAL=all: both are in the report'
like "$(report 1)" '^anna@partner-1.com 5.7.5 partial' '... one because of the other'
is "$(deliveries external | grep -c partner-1)" 0 '... and neither gets it'
reset
gate_configure ''

# A report that cannot be delivered: the user does not exist.
letter "$M" gone@behoerde.de nobody@partner-1.com 'from nobody to nobody'
sink_fail internal rcpt:gone@behoerde.de '550 5.1.1 unknown'
out "$M" nobody@partner-1.com gone@behoerde.de
wait_for_text "$(log_of internal)" "to=<?gone@behoerde.de>?,.*$BOUNCED"
wait_for_quiet
sleep 0.5
sink_ok internal
is "$(sink_count internal) $(sink_count external) $(cat "$WORLD"/log/front*.log | grep -c "$BOUNCED")" '0 0 1' 'a report to a user that does not exist ends there'
reset

# Senders that must not get reports: lists and programs. ADMIN hears of it.
letter "$M" $ME nobody@partner-1.com 'by a program' 'Auto-Submitted: auto-generated'
out "$M" nobody@partner-1.com
wait_for_sink internal 1
wait_for_quiet
is "$(sink_count internal) $(sink_envelope internal 1) $(sink_count external)" '1 <> admin@behoerde.de 0' 'a program gets no report, ADMIN does'
reset

# A certificate is found meanwhile: sent again, it goes out.
letter "$M" $ME late@partner-1.com 'late'
out "$M" late@partner-1.com
wait_for_sink internal 1
issue late late@partner-1.com emailProtection keyEncipherment
out "$M" late@partner-1.com
wait_for_sink external 1
openssl cms -decrypt -in "$(sink_message external 1)" -recip "$WORLD/base/etc/public/late.pem" -inkey "$PKI/anna.key" 2>"$WORLD/openssl" | grep -q "A letter"
ok $? 'a certificate copied in counts for the next letter'
reset
done_testing
