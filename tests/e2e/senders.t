#!/bin/bash
# Senders that cannot sign themselves (docs/senders.md): an application with a fixed From and an envelope sender of its own, a ticket
# system with one From a queue, notices with the null sender, one notice to 800 recipients, notices to colleagues. The configuration
# is taken from the page, the mails are those that such systems write, and openssl checks what leaves.
. "$(dirname "$0")/lib.sh"
world_enter "$0" "$@"
. "$E2E/gateway.sh"
PAGE=$SOURCE/docs/senders.md

# The indented block behind the line of the page that begins so.
block() { awk -v from="$1" '!found { found = index($0, from) == 1; next } /^    / { print substr($0, 5); shown = 1; next } shown && NF { exit }' "$PAGE"; }

issue() { # issue NAME ADDRESS: a key with its certificate, into etc/private
    local key=$WORLD/pki/$1.key crt=$WORLD/pki/$1.crt
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$key" 2>/dev/null
    printf 'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = emailProtection\nsubjectAltName = email:%s\n' "$2" >"$WORLD/ext"
    openssl req -new -key "$key" -subj "/CN=$1" -out "$WORLD/csr" 2>/dev/null
    openssl x509 -req -in "$WORLD/csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 30 -extfile "$WORLD/ext" -out "$crt" 2>/dev/null
    cat "$key" "$crt" >"$WORLD/both"
    install -m 600 -o $WORLD_USER "$WORLD/both" "$WORLD/base/etc/private/$1.pem"
}

gate_start
for address in 10.1.7.20/32 10.1.7.30/32 10.1.7.40/32; do ip addr add $address dev lo; done
sed -i 's/^INTERNAL_DOMAINS = .*/INTERNAL_DOMAINS = behoerde.de .behoerde.de/' "$WORLD/conf.plain"
issue verfahren fachverfahren@behoerde.de
issue support support@behoerde.de
issue leitstelle leitstelle@behoerde.de

mail() { # mail FILE FROM TO [FIELD...]: as a program writes it
    local file=$1 from=$2 to=$3
    shift 3
    letter "$file" "$from" "$to" 'Bescheid' "$@"
}
from_host() { # from_host ADDRESS SENDER RCPTS FILE
    send_mail "$@" >"$WORLD/smtp" || diag "not taken: $(cat "$WORLD/smtp")"
}
signed_by() { # signed_by N ADDRESS: the N-th mail outside is signed by the key of ADDRESS
    verify "$(sink_message external "$1")" "$WORLD/text" "$2" && grep -q '^A letter' "$WORLD/text"
}
M=$WORLD/m

# ---- an application with a fixed From ----------------------------------------------------------------------------------------

gate_configure "$(block 'In julia.conf, the application and its address')"
world_rules "$(block 'In julia.rules, for the application')"
gate_check
ok $? 'application: the configuration of the page has no faults'
mail "$M" 'Fachverfahren <fachverfahren@behoerde.de>' anna@partner-1.com
from_host 10.1.7.20 bounces+4711@app.behoerde.de b@open.example "$M"
wait_for_sink external 1
signed_by 1 fachverfahren@behoerde.de
ok $? 'application: signed by its key, although the envelope sender is another one'
is "$(sink_envelope external 1)" 'bounces+4711@app.behoerde.de b@open.example' 'application: the envelope stays'
from_host 10.1.0.7 user_2@behoerde.de b@open.example "$M"
wait_for_sink internal 1
is "$(sink_count external) $(sink_envelope internal 1)" '1 <> user_2@behoerde.de' 'another host that writes this From: refused, its sender is told'
like "$(gate_explain 10.1.7.20 bounces+4711@app.behoerde.de b@open.example <"$M")" 'sign=fachverfahren@behoerde.de' '-explain: by SIGN_AS'
reset

gate_configure ''
world_rules "$(block 'Without SIGN_AS')"
from_host 10.1.7.20 bounces+4711@app.behoerde.de b@open.example "$M"
wait_for_sink external 1
signed_by 1 fachverfahren@behoerde.de
ok $? 'application: FS=address needs no SIGN_AS'
mail "$M" 'Fachverfahren <fachverfahren@elsewhere.example>' b@open.example
from_host 10.1.7.20 bounces+4711@app.behoerde.de b@open.example "$M"
wait_for_sink external 2
signed_by 2 fachverfahren@behoerde.de && false
ok $((! $?)) 'application: a From outside of INTERNAL_DOMAINS gets no signature'
reset

# ---- a ticket system with one From a queue ------------------------------------------------------------------------------------

gate_configure "$(block 'In julia.conf, the ticket system')"
world_rules "$(block 'In julia.rules, for the ticket system')"
gate_check
ok $? 'tickets: the configuration of the page has no faults'
mail "$M" 'Support <support@behoerde.de>' kunde@open.example 'X-Mailer: Znuny Mail Service'
from_host 10.1.7.30 support@behoerde.de kunde@open.example "$M"
wait_for_sink external 1
signed_by 1 support@behoerde.de
ok $? "tickets: an agent's answer, envelope sender is the queue's address: the queue's key"
mail "$M" '"Erika Muster via Support" <support@behoerde.de>' kunde@open.example
from_host 10.1.7.30 otrs@tickets.behoerde.de kunde@open.example "$M"
wait_for_sink external 2
signed_by 2 support@behoerde.de
ok $? 'tickets: one envelope sender for all queues: the key of From'
mail "$M" 'Personal <personal@behoerde.de>' kunde@open.example
from_host 10.1.7.30 otrs@tickets.behoerde.de kunde@open.example "$M"
wait_for_sink external 3
signed_by 3 mail@behoerde.de
ok $? "tickets: a queue without a key of its own: the authority's"
mail "$M" 'Kunde <kunde@open.example>' dritte@other.example
from_host 10.1.7.30 otrs@tickets.behoerde.de dritte@other.example "$M"
wait_for_sink internal 1
is "$(sink_count external) $(sink_envelope internal 1)" '3 <> otrs@tickets.behoerde.de' "tickets: a mail passed on under the customer's From is not signed in the authority's name, nor sent"
reset

# ---- the null sender and automatic mail -----------------------------------------------------------------------------------------

AUTO='Auto-Submitted: auto-generated'
mail "$M" 'Support <support@behoerde.de>' kunde@open.example "$AUTO" 'Precedence: bulk' 'X-Loop: yes' 'X-OTRS-Loop: yes' 'X-Auto-Response-Suppress: All'
from_host 10.1.7.30 '<>' kunde@open.example "$M"
wait_for_sink external 1
signed_by 1 support@behoerde.de
ok $? 'null sender: signed by the key of From'
is "$(sink_envelope external 1)" '<> kunde@open.example' '... and stays the null sender'
is "$(grep -c "^$AUTO" "$(sink_message external 1)")" 1 '... and Auto-Submitted stays'
mail "$M" 'noreply@behoerde.de' kunde@open.example "$AUTO" 'Precedence: bulk' 'X-Loop: yes' 'X-Auto-Response-Suppress: All'
from_host 10.1.7.30 noreply@behoerde.de kunde@open.example "$M"
wait_for_sink external 2
signed_by 2 mail@behoerde.de
ok $? 'automatic mail of a noreply address: signed like any other'
world_rules 'support@behoerde.de (to) . (do) FE, FS
unknown@behoerde.de (to) . (do) FS'
mail "$M" 'support@behoerde.de' kunde@open.example "$AUTO"
from_host 10.1.7.30 '<>' kunde@open.example "$M"
wait_for_sink internal 1
is "$(sink_count external) $(sink_envelope internal 1)" '2 <> admin@behoerde.de' 'null sender, to be encrypted, no certificate: nothing leaves, ADMIN is told'
mail "$M" 'unknown@behoerde.de' kunde@open.example "$AUTO"
from_host 10.1.7.30 '<>' kunde@open.example "$M"
wait_for_sink external 3
is "$(grep -c pkcs7 "$(sink_message external 3)")" 0 'null sender, FS without a key: leaves unsigned, as the page says'
reset

# ---- one notice to 800 recipients ------------------------------------------------------------------------------------------------

# Counts the signatures that the key module makes.
count_signatures() {
    : >"$WORLD/signatures"
    chown $WORLD_USER "$WORLD/signatures"
    gate_faulty keys --on sign --do slow --seconds 0 --log "$WORLD/signatures"
}
signatures() { grep -c ' sign ' "$WORLD/signatures"; }
handed_off() { gate_log 'event=handoff .*target=external .*result=taken'; }
calls() { gate_log 'event=message '; }
bulk() { # bulk COUNT...: at each of so many domains so many recipients
    local n=1 count
    for count; do
        seq -f "r%g@d$n.example" "$count"
        n=$((n + 1))
    done | paste -sd,
}
# Sendmail has no room for more than some 250 arguments: four calls.
if [ "$WORLD_MTA" = postfix ]; then ONE=1 TWO='2 3'; else ONE=4 TWO='4 5'; fi
gate_configure "$(block 'In julia.conf, the ticket system')"
world_rules "$(block 'In julia.rules, for the ticket system')"
count_signatures
mail "$M" 'support@behoerde.de' undisclosed-recipients:\; 'Precedence: bulk'
from_host 10.1.7.30 support@behoerde.de "$(bulk 500 300)" "$M"
wait_until 120 eval '[ "$(deliveries external | wc -l)" -ge 800 ]'
only_once external 800 'bulk: 800 recipients of two domains, each once'
is "$(calls)" $ONE "bulk: $ONE call of julia"
is "$(signatures)" $ONE 'bulk: one signature a call for all of them'
is "$(handed_off)" $ONE 'bulk: one hand-off a call'
signed_by 1 support@behoerde.de
ok $? 'bulk: a good one'
is "$(cat $(sink_messages external) | tr -d '\r' | grep -c 'smime.p7s')" "$(($(sink_count external) * $(grep -c 'smime.p7s' "$(sink_message external 1)")))" 'bulk: every copy has it'
reset

: >"$WORLD/signatures"
world_rules '. (to) d1.example (do) FS
. (to) d2.example (do) FS=mail@behoerde.de'
mail "$M" 'support@behoerde.de' undisclosed-recipients:\;
from_host 10.1.7.30 support@behoerde.de "$(bulk 400 300 100)" "$M"
wait_until 120 eval '[ "$(deliveries external | wc -l)" -ge 800 ]'
only_once external 800 'bulk, three treatments: each once'
is "$(signatures) $(handed_off)" "$TWO" 'bulk, three treatments: a signature for each of two, a hand-off for each of three (in each call)'
reset

[ "$WORLD_MTA" = postfix ] || { done_testing; exit; } # what follows is about Postfix

# ---- notices to colleagues ---------------------------------------------------------------------------------------------------------

here() { sed -e "s#/etc/postfix-julia-\([a-z]*\)#$WORLD/queues/\1/etc#; s#/opt/julia#$WORLD/base#g"; }
gate_configure ''
world_rules '. (to) . (do) FS=mail@behoerde.de'
mail "$M" 'leitstelle@behoerde.de' user_1@behoerde.de 'Precedence: bulk'
from_host 10.1.7.40 leitstelle@behoerde.de user_1@behoerde.de "$M"
wait_for_sink internal 1
is "$(grep -c pkcs7 "$(sink_message internal 1)")" 0 'colleagues: mail from inside to inside passes unchanged'
block 'In /opt/julia/etc/notices.conf' | here >"$WORLD/base/etc/notices.conf"
block 'In /opt/julia/etc/notices.rules' >"$WORLD/base/etc/notices.rules"
run_as "$B/julia" -c "$WORLD/base/etc/notices.conf" -check >"$WORLD/check"
ok $? 'colleagues: the configuration of the page has no faults' || diag "$(cat "$WORLD/check")"
block 'choose by client; there such hosts' | grep -v reload | sh -eu >"$WORLD/out" 2>&1
ok $? 'colleagues: the commands of the page' || diag "$(cat "$WORLD/out")"
world_age
postfix reload 2>/dev/null
colleagues=$(seq -s, -f 'agent%g@behoerde.de' 800)
from_host 10.1.7.40 '<>' "$colleagues" "$M"
wait_until 120 eval '[ "$(deliveries internal | wc -l)" -ge 801 ]'
only_once internal 801 'colleagues: 800 agents and the one before have it, each once'
verify "$(sink_message internal 2)" "$WORLD/text" leitstelle@behoerde.de
ok $? 'colleagues: signed now, by the key of From, with the null sender too'
from_host 10.1.0.7 user_1@behoerde.de user_2@behoerde.de "$M"
wait_until 60 eval 'deliveries internal | grep -q user_2'
is "$(grep -c pkcs7 "$(sink_message internal "$(sink_count internal)")")" 0 'colleagues: mail of other hosts passes as before'
[ "$tap_failed" = 0 ] || world_log
done_testing
