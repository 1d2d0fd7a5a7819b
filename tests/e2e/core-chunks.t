#!/bin/bash
# One message with 120 recipients, handed over in three calls at once as Postfix does; one chunk fails; after the retry each recipient has
# got it exactly once.
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/tap.sh
. tests/e2e/core-gateway.sh
conf ''
rules '. (to) . (do) FS=mail@behoerde.de
. (to) partner-1.com (do) FE'
in=$base/in.eml
letter user_2@behoerde.de 'list@x.example' 'to many' > "$in"

chunk() { # chunk FIRST LAST MORE...
    local r=()
    for i in $(seq "$1" "$2"); do r+=("r$i@x.example"); done
    shift 2
    "$build/bin/julia" -c "$base/etc/julia.conf" -client 10.1.2.3 -sender user_2@behoerde.de -queue-id CHUNK -readmail "${r[@]}" "$@" \
        < "$in" > /dev/null 2>&1
    echo $? >> "$base/statuses"
}

all() {
    : > "$base/statuses"
    chunk 1 50 &
    chunk 51 98 anna@partner-1.com bert@partner-1.com &
    chunk 101 118 ec@partner-1.com nobody@partner-1.com &
    wait
}

# delivered: every recipient as often as a target took the message for it
delivered() { cat "$base"/external/*.args | grep '@' | grep -v '^user_2@' | sort | uniq -c; }

echo r60@x.example > "$base/external/fail-for"
all
is "$(sort "$base/statuses" | tr '\n' ' ')" '0 0 75 ' 'one of three calls fails'
is "$(delivered | awk '$1 != 1' | wc -l)" 0 'nobody got it twice'
rm "$base/external/fail-for"
all
is "$(sort "$base/statuses" | tr '\n' ' ')" '0 0 0 ' 'the retry of all three goes well'
is "$(delivered | wc -l)" 119 'all 119 who can get it got it'
is "$(delivered | awk '$1 != 1' | wc -l)" 0 '... exactly once'
is "$(cat "$base"/internal/*.eml | grep -c '^Final-Recipient')" 1 'one report about the one who cannot'

# The same recipient in two calls at once: one of them has to wait.
forget
chunk 1 1 & chunk 1 1 &
wait
chunk 1 1
is "$(delivered | awk '{ print $1 }')" 1 'two calls for one recipient: once'

done_testing
