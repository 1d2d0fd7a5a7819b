#!/bin/bash
# Signing: who, with which key, and that it survives.
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/tap.sh
. tests/e2e/core-gateway.sh
conf ''
rules '.                  (to) . (do) FS=mail@behoerde.de
user_1@behoerde.de (to) . (do) FS'
in=$base/in.eml

# send SENDER RECIPIENT: then $out is what the external relay got
send() {
    forget
    outgoing "$@" < "$in"
    out=$(handed external 1)
}

letter user_2@behoerde.de b@x.example 'for all' $'Bcc: hidden@y.example\nX-Kept: yes\nContent-Language: de' > "$in"
send user_2@behoerde.de b@x.example
is "$status ${said}" '0 2.0.0 ok' 'FS=address'
verify "$out" "$base/content"
is "$? $(signer)" '0 mail@behoerde.de' '... is signed by that address'
like "$(cat "$out")" '^X-Kept: yes' 'other fields stay outside'
is "$(grep -c '^Bcc' "$out")" 0 'Bcc is gone'
is "$(sed -n '1,/^$/p' "$out" | grep -c '^Content-Language')" 0 'Content-* fields go inside'
like "$(cat "$base/content")" 'Content-Language: de' '... all of them'
is "$(sed -n '1,/^$/p' "$out" | grep -ci '^MIME-Version')" 1 'one MIME-Version'
is "$(arguments external 1)" '-i -f user_2@behoerde.de -- b@x.example ' 'the envelope stays'

letter user_1@behoerde.de b@x.example 'own key' > "$in"
send user_1@behoerde.de b@x.example
verify "$out" "$base/content" && is "$(signer)" user_1@behoerde.de 'a bare FS takes the own key'
letter user_1@behoerde.de b@x.example 'of another' > "$in"
send user_2@behoerde.de b@x.example
verify "$out" "$base/content" && is "$(signer)" mail@behoerde.de '... but not for another sender'
letter 'user_1@behoerde.de, user_2@behoerde.de' b@x.example 'of two' > "$in"
send user_1@behoerde.de b@x.example
verify "$out" "$base/content" && is "$(signer)" mail@behoerde.de '... nor for two authors'
letter someone@x.example b@x.example 'foreign author' > "$in"
send user_2@behoerde.de b@x.example
is "$status $(taken external) $(taken internal)" '0 0 1' 'a foreign header From is not signed but reported'
like "$(cat "$(handed internal 1)")" '^Status: 5.7.1' '... as 5.7.1'

rules '. (to) . (do) FS'
letter user_2@behoerde.de b@x.example 'no key' > "$in"
send user_2@behoerde.de b@x.example
is "$status $(taken external) $(taken internal)" '0 0 1' 'FS without any key: refused'
send '' b@x.example
is "$status $(taken external)" '0 1' 'for the null sender FS counts as SIP'
cmp -s "$in" "$out"
ok $? '... and the notice leaves as it is'
letter user_1@behoerde.de b@x.example 'not the sender' > "$in"
send user_2@behoerde.de b@x.example
is "$status $(taken external) $(taken internal)" '0 0 1' 'FS for somebody else: refused'
conf 'SIGN_AS = 10.1.2.0/24 user_1@behoerde.de;'
send user_2@behoerde.de b@x.example
is "$status $(taken external)" '0 1' '... unless SIGN_AS allows the client'
conf ''
forget
julia -client 10.1.2.3 -sender user_2@behoerde.de -auth user_1@behoerde.de -readmail b@x.example < "$in"
is "$status $(taken external)" '0 1' '... or the user is authenticated'

rules '. (to) . (do) SIP'
letter user_2@behoerde.de b@x.example 'possible' > "$in"
send user_2@behoerde.de b@x.example
cmp -s "$in" "$out"
ok $? 'SIP without a key: unchanged'
letter user_1@behoerde.de b@x.example 'possible' > "$in"
send user_1@behoerde.de b@x.example
verify "$out" "$base/content"
ok $? 'SIP with a key: signed'

# What relays would change.
rules '. (to) . (do) FS=mail@behoerde.de'
{
    printf 'From: user_2@behoerde.de\nTo: b@x.example\nSubject: hard\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n'
    printf 'Content-Transfer-Encoding: 8bit\n\npr\303\244amble\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n'
    printf 'Sch\303\266ne Gr\303\274\303\237e, und noch viel mehr ganz gew\303\266hnlicher Text ohne Umlaute dahinter.\n'
    head -c 2000 /dev/zero | tr '\0' x
    printf '\nbare\rcr\n--b\nContent-Type: application/octet-stream; name="\303\274.bin"\n\n\377\000\001\n--b--\n'
} > "$in"
send user_2@behoerde.de b@x.example
verify "$out" "$base/content"
ok $? '8-bit text, a line of 2000 octets, a bare CR: signed'
is "$(LC_ALL=C grep -c '[^ -~]' "$out")" 0 'nothing but ASCII is left'
is "$(awk 'length($0) > 998' "$out" | wc -l)" 0 'no long line is left'
printf 'From: user_2@behoerde.de\r\nTo: b@x.example\r\nSubject: crlf\r\n\r\nline\r\n' > "$in"
send user_2@behoerde.de b@x.example
verify "$out" "$base/content"
ok $? 'a message with CRLF'
is "$(grep -c -v $'\r$' "$out")" 0 '... keeps its line ends'
echo > "$in"
send user_2@behoerde.de b@x.example
is "$status $(taken external) $(taken internal)" '0 0 1' 'a message without a header has no author: refused'
printf 'From: user_2@behoerde.de' > "$in"
send user_2@behoerde.de b@x.example
verify "$out" "$base/content"
ok $? 'a message that is one unfinished field is signed all the same'

# Triggers.
conf $'POLICY = both\nTRIGGER_SIGN = [signieren]'
rules '. (to) none.example (do) NE'
letter user_1@behoerde.de b@x.example '=?utf-8?Q?=5Bsignieren=5D_Gr=C3=BC=C3=9Fe?=' > "$in"
send user_1@behoerde.de b@x.example
verify "$out" "$base/content"
ok $? 'a trigger in an encoded Subject signs'
is "$(grep '^Subject' "$out")" 'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=' '... and is gone'
letter user_1@behoerde.de b@x.example 'nothing' > "$in"
send user_1@behoerde.de b@x.example
cmp -s "$in" "$out"
ok $? 'without it nothing is done'

# Signatures of users.
conf ''
rules '. (to) . (do) FS=mail@behoerde.de'
printf 'Content-Type: text/plain\n\nby hand\n' > "$base/part"
by_hand() { # by_hand NAME: signed by that person with openssl
    printf 'From: %s@behoerde.de\nTo: b@x.example\nSubject: by hand\nBcc: z@z.example\n' "$1"
    openssl cms -sign -in "$base/part" -signer "$pki/$1.crt" -inkey "$pki/$1.key" $2
}
for form in '' -nodetach; do
    by_hand user_2 $form > "$in"
    send user_2@behoerde.de b@x.example
    cmp -s "$in" "$out"
    ok $? "a user's valid signature stays ${form:-clear}"
done
by_hand user_2 | sed 's/^by hand/by hook/' > "$in"
send user_2@behoerde.de b@x.example
verify "$out" "$base/content"
is "$? $(signer)" '0 mail@behoerde.de' 'a broken one does not count: julia signs'
by_hand user_2 | sed 's/^From: user_2/From: user_3/' > "$in"
send user_3@behoerde.de b@x.example
verify "$out" "$base/content"
is "$? $(signer)" '0 mail@behoerde.de' 'nor does one of somebody else'
conf 'RESIGN = yes'
by_hand user_2 > "$in"
send user_2@behoerde.de b@x.example
verify "$out" "$base/content"
is "$? $(signer)" '0 mail@behoerde.de' 'RESIGN=yes signs once more'
sed -n '/^Content-Type: multipart\/signed/,$p' "$base/content" > "$base/inner"
verify "$base/content" "$base/inner"
is "$? $(signer)" '0 user_2@behoerde.de' '... around the first, which still verifies'

# Forms and algorithms.
letter user_2@behoerde.de b@x.example 'forms' > "$in"
rules '. (to) . (do) FS=mail@behoerde.de'
conf 'PROFILE_default = form=opaque'
send user_2@behoerde.de b@x.example
verify "$out" "$base/content"
is "$? $(grep -c '^Content-Type: application/pkcs7-mime' "$out")" '0 1' 'opaque by profile'
conf 'PROFILE_default = sign=rsa-pss digest=sha512'
send user_2@behoerde.de b@x.example
verify "$out" "$base/content"
is "$? $(grep -c 'micalg=sha-512' "$out")" '0 1' 'PSS with SHA-512 by profile'
like "$(openssl cms -cmsout -print -in "$out")" 'rsassaPss' '... it is PSS'

# Header protection.
conf 'HEADER_PROTECTION = clear'
letter user_2@behoerde.de b@x.example 'protected' > "$in"
send user_2@behoerde.de b@x.example
verify "$out" "$base/content"
like "$(cat "$base/content")" 'hp="clear"' 'HEADER_PROTECTION marks the entity'
like "$(cat "$base/content")" '^Subject: protected' '... and copies the fields inside'

done_testing
