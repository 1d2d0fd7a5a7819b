#!/bin/bash
# What needs no S/MIME: octets, directions, exit status, the journal.
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/tap.sh
. tests/e2e/core-gateway.sh
conf ''
rules '. (to) secret.example (do) FE'

same() { # same FILE NAME: handed on to the external relay octet for octet
    forget
    outgoing u@behoerde.de b@x.example < "$1"
    [ "$status" = 0 ] && cmp -s "$1" "$(handed external 1)"
    ok $? "$2" || diag "status $status: $said"
}

dir=$base/in
mkdir "$dir"
printf 'From: a\nSubject: x\n\nbody\n' > "$dir/plain"
printf 'From: a\r\nSubject: x\r\n\r\nbody\r\n.\r\n' > "$dir/crlf"
printf 'From: a\nSubject: x\r\n\nmixed\r\n\rends\n' > "$dir/mixed"
printf 'From: a\n\nno final newline' > "$dir/no-newline"
printf 'Bcc: b\nFrom: \344\366\n\n\0\377\0binary\n' > "$dir/binary"
printf 'no header at all\n' > "$dir/no-header"
printf '\n\nbody only\n' > "$dir/no-fields"
printf 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nnever closed' > "$dir/open-multipart"
printf 'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=b\n\n--b\n\nx\n--b\n\nnothing\n--b--\n' > "$dir/false-signed"
printf 'Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nAAAA\n' > "$dir/false-p7m"
{ printf 'X-Long: '; head -c 1000000 /dev/zero | tr '\0' x; printf '\n\nbody\n'; } > "$dir/long-line"
for n in plain crlf mixed no-newline binary no-header no-fields open-multipart false-signed false-p7m long-line; do
    same "$dir/$n" "octet for octet: $n"
done

forget
outgoing u@behoerde.de b@x.example < /dev/null
is "$status ${said%% *} $(taken external)" '75 4.3.0 0' 'no input at all is no message: it waits'

forget
{ echo 'From u@behoerde.de Sat Nov 21 12:00:00 2026'; cat "$dir/plain"; } > "$dir/from_"
julia -client 10.1.2.3 -readmail b@x.example < "$dir/from_"
cmp -s "$dir/plain" "$(handed external 1)"
ok $? 'a From_ line is not passed on'
is "$(arguments external 1)" '-i -f u@behoerde.de -- b@x.example ' '... and is the envelope sender'

forget
outgoing -u@behoerde.de b@x.example -oQ/tmp@x.example < "$dir/plain"
is "$status $(arguments external 1)" '0 -i -f "-u"@behoerde.de -- b@x.example "-oQ/tmp"@x.example ' 'addresses that look like options are put in quotes'

forget
julia -client IPv6:::1 -sender '' -readmail b@x.example -x < "$dir/plain"
is "$status ${said%% *}" '65 5.1.3' 'an option that is no address is refused'
is "$(taken external)$(taken internal)" 00 '... and nothing was handed off'

forget
outgoing $'a@b\303\274cher.example' $'j\303\274rgen@M\303\234NCHEN.example' $'x@bu\314\210cher.example' X@Y.Example < "$dir/plain"
is "$status $(arguments external 1)" $'0 -i -f a@xn--bcher-kva.example -- j\303\274rgen@xn--mnchen-3ya.example x@bu\314\210cher.example X@Y.Example ' \
    'domains with umlauts leave as A-labels, which need no SMTPUTF8; all other addresses as they came'

forget
outgoing u@behoerde.de b@x.example v@behoerde.de < "$dir/plain"
is "$status $(arguments external 1)/ $(arguments internal 1)" \
    '0 -i -f u@behoerde.de -- b@x.example / -i -f u@behoerde.de -- v@behoerde.de ' 'split by direction'

forget
julia -client 198.51.100.1 -sender a@x.example -readmail b@y.example < "$dir/plain"
is "$status ${said%% *} $(taken external)" '77 5.7.1 0' 'no open relay'

forget
julia -client '' -sender a@behoerde.de -readmail b@y.example < "$dir/plain"
is "$status ${said%% *}" '75 4.3.5' 'an undecidable client is no guess'
{ echo 'Received: by gw.behoerde.de (Postfix, from userid 0) id X; date'; cat "$dir/plain"; } > "$dir/local"
julia -client '' -sender a@behoerde.de -readmail b@y.example < "$dir/local"
is "$status $(taken external)" '0 1' 'local submission'

forget
{ for i in $(seq 31); do echo "Received: from h$i by h$i"; done; cat "$dir/plain"; } > "$dir/loop"
outgoing a@behoerde.de b@y.example < "$dir/loop"
is "$status ${said%% *}" '69 5.4.6' 'a loop going out is refused'
julia -client 198.51.100.1 -sender a@x.example -readmail u@behoerde.de < "$dir/loop"
is "$status ${said%% *} $(taken external)" '75 4.4.6 0' 'a loop coming in waits'
grep -q '^To: <admin@behoerde.de>' "$(handed internal 1)"
ok $? '... and ADMIN is told'

# One target fails: the others are not sent twice.
forget
echo v@behoerde.de > "$base/internal/fail-for"
outgoing u@behoerde.de b@x.example v@behoerde.de w@behoerde.de < "$dir/plain"
is "$status ${said%% *} $(taken external) $(taken internal)" '75 4.3.0 1 0' 'one hand-off fails: try again'
rm "$base/internal/fail-for"
outgoing u@behoerde.de b@x.example v@behoerde.de w@behoerde.de < "$dir/plain"
is "$status $(taken external) $(taken internal)" '0 1 1' '... and the retry sends what is missing only'
outgoing u@behoerde.de b@x.example v@behoerde.de w@behoerde.de < "$dir/plain"
is "$status $(taken external) $(taken internal)" '0 1 1' '... and one retry more sends nothing'

# Engines that change nothing.
forget
conf 'SMIME_ENGINE = 0'
outgoing u@behoerde.de b@x.example c@secret.example < "$dir/plain"
is "$status ${said%% *} $(taken external) $(arguments external 1)" '75 4.7.5 1 -i -f u@behoerde.de -- b@x.example ' \
    'SMIME_ENGINE=0: what must be encrypted waits'
forget
conf $'SMIME_ENGINE = 0\nENGINE_CLEAR = yes'
outgoing u@behoerde.de b@x.example c@secret.example < "$dir/plain"
is "$status $(taken external)" '0 1' '... unless ENGINE_CLEAR says otherwise'
forget
conf 'SMIME_ENGINE = 1'
rules '. (to) . (do) FS=mail@behoerde.de'
letter u@behoerde.de b@x.example test > "$dir/rehearse"
outgoing u@behoerde.de b@x.example < "$dir/rehearse"
cmp -s "$dir/rehearse" "$(handed external 1)"
ok $? 'SMIME_ENGINE=1: unchanged'
grep -q 'event=rehearsal .*would=send sign=mail@behoerde.de' "$base/logs/julia.log"
ok $? '... but the log says what would be done'

# Limits and configuration.
conf 'MAX_SIZE = 2k'
head -c 3000 /dev/zero | tr '\0' x > "$dir/big"
outgoing u@behoerde.de b@x.example < "$dir/big"
is "$status ${said%% *}" '65 5.3.4' 'MAX_SIZE'
conf 'MAX_RECIPIENTS = 2'
rules '. (to) . (do) NS'
forget
outgoing u@behoerde.de b@x.example c@x.example d@x.example < "$dir/plain"
is "$status $(taken external) $(arguments external 1 | grep -o ' -- .*')$(arguments external 2 | grep -o ' -- .*')" \
    '0 2  -- b@x.example c@x.example  -- d@x.example ' 'MAX_RECIPIENTS: more are handled in several rounds'
outgoing u@behoerde.de b@x.example c@x.example d@x.example < "$dir/plain"
is "$status $(taken external)" '0 2' '... each once'
julia -explain -client 10.1.0.7 -sender u@behoerde.de -readmail b@x.example c@x.example d@x.example < "$dir/plain"
is "$(printf '%s\n' "$said" | grep -v '^#' | cut -f3)" 'b@x.example,c@x.example
d@x.example' '... and -explain says so'
conf 'MAX_RECIPIENTS = 1
PARTIAL = all'
rules '. (to) nokey.example (do) FE'
forget
outgoing u@behoerde.de b@x.example c@x.example x@nokey.example < "$dir/plain"
is "$status $(taken external)" '0 0' '... but PARTIAL=all looks at all of them'
rules '. (to) . (do) NS'
conf 'NO_SUCH_NAME = 1'
outgoing u@behoerde.de b@x.example < "$dir/plain"
is "$status ${said%% *}" '75 4.3.5' 'a fault in the configuration keeps the mail'
like "$said" 'julia.conf:8: NO_SUCH_NAME' '... and says where it is'
julia -check < /dev/null
is "$status" 75 '-check finds it, too'
conf ''
rules '. (to) . (do) FX'
outgoing u@behoerde.de b@x.example < "$dir/plain"
like "$status $said" '^75 4.3.5 .*julia.rules:1:' 'a fault in the rules keeps the mail'
rules '. (to) . (do) NS'
julia -check < /dev/null
is "$status ${said##*$'\n'}" '0 2.0.0 no faults' '-check is content'
conf "MTA_CONFIG = $dir"
julia -check < /dev/null
like "$said" "^ok +MTA_CONFIG: $dir\$" '-check looks at the main instance'
conf "MTA_CONFIG = $dir/plain"
julia -check < /dev/null
like "$said" "^FAULT MTA_CONFIG $dir/plain: Postfix has a directory" '... and knows whose it is'
conf "MTA_CONFIG = /nonexistent"
julia -check < /dev/null
like "$status $said" '^FAULT MTA_CONFIG /nonexistent: No such file' '... and whether it is there'
conf ''

# A key that others can read is refused, and -check says so before mail has to wait for it.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$base/etc/private/open.pem" 2> /dev/null
chmod 644 "$base/etc/private/open.pem"
julia -check < /dev/null
is "$status" 75 '-check finds a key that others can read'
like "$said" 'FAULT keys of module .*open.pem: private key refused' 'and names it'
rm "$base/etc/private/open.pem"
julia -prune < /dev/null
like "$status $said" '^0 2.0.0 [0-9]+ journal files removed' '-prune'

# Nothing is read to its end before it is taken: a slow writer.
forget
{ cat "$dir/plain"; sleep 0.3; echo more; } | outgoing u@behoerde.de b@x.example
{ cat "$dir/plain"; echo more; } | cmp -s - "$(handed external 1)"
ok $? 'standard input is read to its end'

# Unwritable log, missing spool.
conf "LOG = $base/nowhere/julia.log"
forget
outgoing u@behoerde.de b@x.example < "$dir/plain"
is "$status $(taken external)" '0 1' 'an unwritable log changes nothing'
conf "SPOOL = $base/nowhere
SPOOL_MEMORY = 0"
outgoing u@behoerde.de b@x.example < "$dir/plain"
is "$status ${said%% *}" '75 4.3.1' 'a missing spool directory: try again'
conf "JOURNAL_DIR = /proc/nowhere"
outgoing u@behoerde.de b@x.example < "$dir/plain"
is "$status ${said%% *}" '75 4.3.1' 'an unusable journal: try again'

done_testing
