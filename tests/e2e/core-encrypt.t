#!/bin/bash
# Encrypting: for whom, with which certificate, and who is told when it cannot be done.
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/tap.sh
. tests/e2e/core-gateway.sh
conf ''
rules '. (to) partner-1.com (do) FE
. (to) maybe.example (do) EIP
. (to) team.example (do) FE=anna@partner-1.com
. (to) gcm.partner-1.com (do) FE:modern
. (to) no.example (do) REJECT "not to them"'
in=$base/in.eml
sender=user_2@behoerde.de

send() { # send RECIPIENT...
    forget
    outgoing $sender "$@" < "$in"
}
recipients_of() { openssl cms -cmsout -print -noout -in "$1" | grep -c 'd.ktri\|d.kari'; }
report() { cat "$base"/internal/*.eml 2> /dev/null; }

letter $sender 'anna@partner-1.com, ec@partner-1.com' 'secret' $'Cc: bert@partner-1.com\nBcc: trusted@partner-1.com' > "$in"
send anna@partner-1.com ec@partner-1.com bert@partner-1.com
is "$status $(taken external)" '0 1' 'one message for three recipients'
is "$(recipients_of "$(handed external 1)")" 3 '... with three RecipientInfos'
for n in anna ec bert; do
    decrypt $n "$(handed external 1)" "$base/plain" && grep -q '^A letter' "$base/plain"
    ok $? "... that $n can read"
done
is "$(grep -c 'A letter' "$(handed external 1)")" 0 '... and nobody else'
is "$(grep -c '^Bcc' "$(handed external 1)")" 0 'Bcc is gone'
send anna@partner-1.com bert@partner-1.com trusted@partner-1.com
is "$status $(taken external)" '0 2' 'the hidden recipient gets a message of his own'
is "$(recipients_of "$(handed external 1)") $(recipients_of "$(handed external 2)")" '2 1' '... and stands in no other'
is "$(arguments external 2)" "-i -f $sender -- trusted@partner-1.com " 'an expired certificate in the area trusted counts'

for n in expired revoked future stranger nobody; do
    send $n@partner-1.com
    is "$status $(taken external) $(taken internal)" '0 0 1' "$n: refused and reported"
    like "$(report)" "Final-Recipient: rfc822; $n@partner-1.com" '... by name'
done
send expired@partner-1.com
like "$(report)" '2021-01-01' 'the report says when it expired'
send revoked@partner-1.com
like "$(report)" 'revoked' 'the report says that it is revoked'
like "$(head -1 "$base/internal/1.args" && sed -n 3p "$base/internal/1.args")" '<>|^$' 'the report has the null sender'
send x@no.example
is "$status $(taken external)" '0 0' 'REJECT'
like "$(report)" 'not to them' '... with its text'

send anna@partner-1.com nobody@partner-1.com x@open.example
is "$status $(taken external) $(taken internal)" '0 2 1' 'PARTIAL=split: the others get it'
conf 'PARTIAL = all'
send anna@partner-1.com nobody@partner-1.com x@open.example
is "$status $(taken external)" '0 0' 'PARTIAL=all: nobody gets it'
is "$(report | grep -c '^Final-Recipient')" 3 '... and the report names all'
conf ''

send x@maybe.example
cmp -s "$in" "$(handed external 1)"
ok $? 'EIP without a certificate: clear'
send x@team.example
decrypt anna "$(handed external 1)" "$base/plain"
is "$? $(arguments external 1)" "0 -i -f $sender -- x@team.example " 'FE=address takes that certificate'

# Algorithms.
conf 'PROFILE_default = cipher=aes-256-gcm keytrans=rsa-oaep-sha256'
send anna@partner-1.com
printed=$(openssl cms -cmsout -print -noout -in "$(handed external 1)")
like "$printed" 'authEnvelopedData' 'AES-GCM by profile'
like "$printed" 'rsaesOaep' '... with OAEP'
decrypt anna "$(handed external 1)" "$base/plain"
ok $? '... readable'
conf 'ENCRYPT_ALSO_TO = archive@behoerde.de'
send anna@partner-1.com
is "$(recipients_of "$(handed external 1)")" 2 'ENCRYPT_ALSO_TO adds a RecipientInfo'
decrypt archive "$(handed external 1)" "$base/plain"
ok $? '... which the archive can open'
conf 'ENCRYPT_ALSO_TO = nobody@behoerde.de'
send anna@partner-1.com x@open.example
is "$status ${said%% *} $(taken external)" '75 4.7.5 1' 'without the archive key mail to encrypt waits'
conf 'HEADER_PROTECTION = hcp_baseline'
send anna@partner-1.com
is "$(grep '^Subject' "$(handed external 1)")" 'Subject: [...]' 'a confidential Subject'
decrypt anna "$(handed external 1)" "$base/plain"
like "$(tr -d '\r' < "$base/plain")" '^Subject: secret' '... is inside'
conf ''

# Sign and encrypt.
rules '. (to) partner-1.com (do) FE, FS=mail@behoerde.de
. (to) open.example (do) FS=mail@behoerde.de'
send anna@partner-1.com trusted@partner-1.com x@open.example
is "$status $(taken external)" '0 3' 'signed for three groups'
decrypt anna "$(handed external 1)" "$base/plain"
verify "$base/plain" "$base/content"
is "$? $(signer)" '0 mail@behoerde.de' 'the signature lies inside of the encryption'
verify "$(handed external 3)" "$base/content"
ok $? 'and alone where nothing is encrypted'

# Encrypted already, or only said to be.
{
    printf 'From: %s\nTo: anna@partner-1.com\nSubject: by hand\nBcc: x@x.example\n' $sender
    printf 'Content-Type: text/plain\n\nsecret\n' | openssl cms -encrypt -aes256 "$pki/anna.crt"
} > "$base/encrypted"
cp "$base/encrypted" "$in"
send anna@partner-1.com nobody@partner-1.com
is "$status $(taken external)" '0 1' 'encrypted already'
cmp -s "$in" "$(handed external 1)"
ok $? '... passes octet for octet'
{ cat "$base/encrypted"; printf 'and some plain text!\n'; } > "$in"
send anna@partner-1.com
decrypt anna "$(handed external 1)" "$base/plain"
is "$? $(grep -c 'some plain text' "$(handed external 1)")" '0 0' 'with text behind it, it is encrypted like any other'
sed 's/^Content-Type.*/Content-Type: application\/pkcs7-mime; smime-type=enveloped-data/; s/^MI[^M].*/VGhpcyBpcyBub3QgQ01T/' "$base/encrypted" > "$in"
send anna@partner-1.com
openssl cms -cmsout -print -noout -in "$(handed external 1)" > /dev/null 2>&1
ok $? 'a label alone does not count'
{
    printf 'From: %s\nTo: anna@partner-1.com\nSubject: by hand\n' $sender
    printf 'Content-Type: text/plain\n\nsecret\n' | openssl cms -sign -nodetach -signer "$pki/user_2.crt" -inkey "$pki/user_2.key" |
        sed 's/smime-type=signed-data/smime-type=enveloped-data/'
} > "$in"
send anna@partner-1.com
openssl cms -cmsout -print -noout -in "$(handed external 1)" | grep -q 'envelopedData'
ok $? 'SignedData under an encrypted label is encrypted'

# EIP and look-ups that fail.
rules '. (to) . (do) EIP'
letter $sender anna@partner-1.com 'EIP' > "$in"
dead='MODULES_KEYS = /bin/false'
conf "$dead"
send anna@partner-1.com
is "$status ${said%% *} $(taken external)" '75 4.7.5 0' 'a failing look-up: EIP waits'
conf "$dead"$'\nEIP_PATIENCE = 0'
send anna@partner-1.com
is "$status $(taken external) $(taken internal)" '0 0 1' '... until EIP_PATIENCE has passed: refused'
conf "$dead"$'\nEIP_PATIENCE = 0\nEIP_FALLBACK = clear'
send anna@partner-1.com
is "$status $(taken external) $(taken internal)" '0 1 0' '... or clear, if EIP_FALLBACK says so'
rules '. (to) . (do) FE'
send anna@partner-1.com
is "$status $(taken external) $(taken internal)" '75 0 0' 'FE waits, whatever EIP_FALLBACK says'
conf 'MODULES_KEYS = keys-file; /bin/false'
send anna@partner-1.com
is "$status $(taken external)" '0 1' 'found elsewhere: the dead module does not matter'
conf 'MODULE_TRUST = /bin/false'
send anna@partner-1.com
is "$status $(taken external) $(taken internal)" '75 0 0' 'without trust nothing is encrypted, and nothing sent'
conf 'MODULE_SMIME = /bin/false'
send anna@partner-1.com
is "$status $(taken external) $(taken internal)" '75 0 0' 'without smime neither'

# -explain agrees.
conf ''
explain $sender anna@partner-1.com expired@partner-1.com < "$in"
like "$said" $'^outgoing\texternal\tanna@partner-1.com\tsign=no\tencrypt=[0-9a-f]{64}\tprofile=default\tlines=1$' '-explain: sent'
like "$said" $'^outgoing\t-\texpired@partner-1.com\tsign=no\tencrypt=no\tprofile=-\tlines=1\trefuse=expired: 2021-01-01$' '-explain: refused'
like "$said" '^# +not used [0-9a-f]{64} expired' '-explain: why'
is "$(taken external) $(taken internal)" '0 0' '-explain sends nothing'
conf "$dead"
explain $sender anna@partner-1.com < "$in"
like "$said" $'\twait=' '-explain: waiting'

done_testing
