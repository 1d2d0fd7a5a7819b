#!/bin/bash
# julia-rules as an administrator uses it: output, exit status, options.
# shellcheck source=tests/e2e/tap.sh
. "$(dirname "$0")/tap.sh"
rules=$(cd "${JULIA_BUILD:-build/release}/bin" && pwd)/julia-rules
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
cd "$directory" || exit 1

run() { # run COMMAND...: output, then "exit N"
    "$@" 2>&1
    echo "exit $?"
}

printf '. (to) . (do) FS\n. (to) partner-.* (do) FE,, FX\n' >bad
is "$(run "$rules" lint bad)" 'bad:2:8: error: "partner-.*" is no domain; an expression stands between slashes and is compared with the whole address: /.*@partner-[0-9]+\.example/
. (to) partner-.* (do) FE,, FX
       ^
bad:2:27: error: an action is expected here: FS SIP NS FE EIP NE REJECT
. (to) partner-.* (do) FE,, FX
                          ^
bad:2:29: error: unknown action "FX"; there are FS SIP NS FE EIP NE REJECT
. (to) partner-.* (do) FE,, FX
                            ^
exit 1' 'every error with its place'
is "$("$rules" test bad a@x.example b@y.example 2>/dev/null)" '' 'a bad file decides nothing'
is "$(run "$rules" test bad a@x.example b@y.example | tail -1)" 'exit 1' 'and says so'

printf '. (to) . (do) FE\n. (to) y.example (do) EIP\n' >odd
is "$(run "$rules" lint odd)" 'odd:2:1: warning: this line changes nothing: EIP adds nothing to FE in line 1
. (to) y.example (do) EIP
^
exit 1' 'a line that never counts'

cat >all <<'END'
.          (to) .            (if) calendar                  (do) NE
.          (to) .            (if) size > 10M                (do) REJECT "too large"
.          (to) .            (if) header X-Class: VS-NfD    (do) FE:strong
.          (to) .                                           (do) EIP
<>         (to) .                                           (do) NS
a@x.example (to) .                                          (do) FS
END
none='sign=no'
treat() { run "$rules" test "$@"; }
is "$(treat all q@x.example b@y.example c@z.example)" "b@y.example	$none	encrypt=possible	profile=default	lines=4
c@z.example	$none	encrypt=possible	profile=default	lines=4
exit 0" 'one line a recipient'
is "$(treat -C all q@x.example b@y.example)" "b@y.example	$none	encrypt=no	profile=default	lines=1,4
exit 0" '-C: a calendar message'
is "$(treat -s 11M all q@x.example b@y.example)" 'b@y.example	reject=too large	lines=2,4
exit 0' '-s: a large one'
is "$(treat -H 'X-Other: 1' -H 'x-class: vs-nfd' all q@x.example b@y.example)" "b@y.example	$none	encrypt=force	profile=strong	lines=3,4
exit 0" '-H: header fields'
is "$(treat -f a@x.example all bounce@x.example b@y.example)" "b@y.example	sign=force:a@x.example	encrypt=possible	profile=default	lines=4,6
exit 0" '-f: header From'
is "$(treat all '<>' b@y.example)" "b@y.example	$none	encrypt=possible	profile=default	lines=4,5
exit 0" 'the null sender'

is "$(run "$rules" lint all)" 'julia-rules: profile "strong" is not built in; -c JULIA.CONF checks whether it is defined
exit 0' 'a profile that may exist'
printf 'PROFILE_strong = cipher=aes-256-gcm\n' >good.conf
is "$(run "$rules" lint -c good.conf all)" 'exit 0' 'a profile that exists'
printf 'PROFILE_other = cipher=aes-256-gcm\n' >other.conf
is "$(run "$rules" lint -c other.conf all | tail -1)" 'exit 1' 'a profile that does not'
is "$(run "$rules" lint -c nothing.conf all | tail -1)" 'exit 2' 'no such julia.conf'

is "$(run "$rules" lint nothing | tail -1)" 'exit 1' 'no such file'
is "$(run "$rules" lint | tail -1)" 'exit 2' 'usage: lint'
is "$(run "$rules" test all a@x.example | tail -1)" 'exit 2' 'usage: test'
is "$(run "$rules" test all a@x.example 'no address' | tail -1)" 'exit 2' 'usage: recipient'
is "$(run "$rules" | tail -1)" 'exit 2' 'usage: command'
"$rules" lint odd >/dev/full 2>/dev/null
is $? 75 'output that cannot be written'
done_testing
