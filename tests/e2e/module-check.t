#!/bin/bash
# Every module against the protocol, started and as a service; and julia-module-check against modules that are wrong.
cd "$(dirname "$0")/../.." || exit 1
source=$PWD
# shellcheck source=tests/e2e/tap.sh
. tests/e2e/tap.sh
build=$(cd "${JULIA_BUILD:-build/release}" && pwd) || exit 1
faulty="$source/tests/faults/faulty-module.py"
base=$(mktemp -d) || exit 1
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; rm -rf "$base"' EXIT

mkdir -p "$base"/etc/{public,trusted,untrusted,private,ca,example} "$base"/var/{index,run,review,spool} "$base"/lib
chmod 700 "$base/etc/private"
cp -r "$build/lib/modules" "$base/lib/"
cp modules/protocol.rng "$base/lib/"
cp modules/example/keys-example.py "$base/lib/modules/"

make_key() { # make_key ADDRESS OPENSSL-WORDS...: a private key with its certificate
    local address=$1
    shift
    openssl req -x509 -nodes -days 10 -subj "/CN=$address" -addext "subjectAltName=email:$address" \
        -keyout "$base/etc/private/$address.pem" -out "$base/etc/example/$address.pem" "$@" 2> "$base/openssl" || cat "$base/openssl"
    cat "$base/etc/example/$address.pem" >> "$base/etc/private/$address.pem"
    chmod 600 "$base/etc/private/$address.pem"
}
make_key rsa@behoerde.de -newkey rsa:2048
make_key ec@behoerde.de -newkey ec -pkeyopt ec_paramgen_curve:prime256v1
make_key ed@behoerde.de -newkey ed25519

check() { # check WORDS...: output in $base/out, prints the exit status
    timeout 120 "$build/bin/julia-module-check" -b "$base" "$@" > "$base/out" 2> "$base/err"
    echo $?
}

clean() { # clean NAME WORDS...: nothing may be found
    local name=$1
    shift
    is "$(check "$@")" 0 "$name" || grep -A1 '^not ok' "$base/out" | sed 's/^/# /'
}

# Each module, started for each connection.
clean 'keys-file, RSA key' -r keys -a rsa@behoerde.de keys-file
is "$(grep -c SKIP "$base/out")" 0 '... with all that can be tried'
clean 'keys-file, EC key' -r keys -a ec@behoerde.de keys-file
clean 'keys-file, Ed25519 key' -r keys -a ed@behoerde.de keys-file
clean 'trust' -r trust trust
clean 'smime' -r smime smime
clean 'keys-example.py' -r keys "keys-example.py etc/example"

# Each module as a service.
for module in keys-file trust smime 'keys-example.py etc/example'; do
    socket=$base/var/run/socket
    # shellcheck disable=SC2086
    "$build/bin/julia-moduled" -b "$base" -n 2 -s "$socket" $module 2> "$base/daemon" &
    daemon=$!
    for _ in $(seq 100); do [ -S "$socket" ] && break; sleep 0.05; done
    clean "$module behind julia-moduled" "unix:$socket"
    kill -HUP $daemon
    sleep 0.3
    clean '... and after SIGHUP' "unix:$socket"
    kill $daemon
    wait $daemon
    is "$? $([ -e "$socket" ] && echo left)" '0 ' '... which ends cleanly, and its socket with it'
    daemon=
done

# What is wrong is found.
is "$(check -t 5 "$faulty --on find --do no-xml -- keys-file")" 1 'a key module that answers find by rubbish: findings'
like "$(tail -1 "$base/out")" '^# keys-file, role keys: [0-9]+ checks, .*findings$' '... with a summary'
is "$(check -t 5 "$faulty --on grant --do temporary -- keys-file")" 1 'a key module that takes no grant: findings'
is "$(check -r smime trust)" 1 'another role than expected: a finding'
cat > "$base/lib/modules/open-door.py" << 'END'
#!/usr/bin/env python3
"""keys-example, but it signs for everybody and finds everybody."""
import os, runpy, sys
names = runpy.run_path(os.path.join(os.path.dirname(__file__), "keys-example.py"))
def sign(_store, request_id, _body):
    return names["answer"](request_id, "ok", "<sign><signature>AAAA</signature></sign>")
def find(_store, request_id, body):
    return names["answer"](request_id, "ok", "<find>" + "".join(
        '<result n="%s" status="ok"/>' % q.attributes.get("n", "0") for q in body.children) + "</find>")
names["OPERATIONS"].update(sign=sign, find=find)
sys.exit(names["main"]())
END
chmod 755 "$base/lib/modules/open-door.py"
is "$(check "open-door.py etc/example")" 1 'a module that signs without a grant: findings'
for finding in 'signing as the first request is refused' 'strange addresses find nobody' 'a query with an unknown use is refused' \
    'a grant for a key that does not exist signs nothing'; do
    like "$(grep '^not ok' "$base/out")" "$finding" "... among them: $finding"
done
"$build/bin/julia-moduled" -b "$base" -n 1 -s "$base/var/run/one" trust 2> "$base/daemon" &
daemon=$!
for _ in $(seq 100); do [ -S "$base/var/run/one" ] && break; sleep 0.05; done
is "$(check -t 2 "unix:$base/var/run/one")" 1 'a service with one worker: a finding'
like "$(cat "$base/out")" 'more workers \(-n\)' '... that says what to do'
kill $daemon
wait $daemon
daemon=

# Exit status of faults that are nobody's finding.
is "$(check /nonexistent/module)" 75 'a module that does not exist: 75'
is "$(check "unix:$base/var/run/nobody")" 75 'a service that does not run: 75'
is "$(check -s /nonexistent/schema trust)" 75 'a schema that does not exist: 75'
is "$(check -r chef trust)" 2 'an unknown role: usage'
is "$(check)" 2 'no module: usage'
is "$(check -t soon trust)" 2 'a time that is none: usage'
"$build/bin/julia-moduled" -b "$base" -n 0 -s "$base/x" trust 2> /dev/null
is $? 2 'julia-moduled with no workers: usage'
"$build/bin/julia-moduled" -b "$base" -s "$base/x" no-such-module 2> "$base/err"
is "$? $([ -e "$base/x" ] && echo left)" '2 ' 'julia-moduled with no such module: usage, no socket left'
like "$(cat "$base/err")" 'no-such-module: No such file' '... and it says so'
done_testing
