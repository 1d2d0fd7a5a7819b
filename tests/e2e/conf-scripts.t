#!/bin/bash
# contrib/lib/conf.sh reads julia.conf as julia itself does: comments, continuation lines, line ends.
. "$(dirname "$0")/tap.sh"
SOURCE=${JULIA_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${JULIA_BUILD:-$SOURCE/build/release}
. "$SOURCE/contrib/lib/conf.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
conf=$work/julia.conf
mkdir -p "$work"/{external,scanner#1,internal,etc}
: >"$work/etc/julia.rules"

{
    printf '\357\273\277TARGET_EXTERNAL = /bin/true -C %s # the external relay\r\n' "$work/external"
    printf 'TARGET_SCANNER = /bin/true\n# a comment\n\n\t-C%s\t#\n' "$work/scanner#1"
    printf 'TARGET_INTERNAL=/bin/true # first # second\n  -C %s\n' "$work/internal"
    printf '#DEADLINE = 1h\nDEADLINE = 30m # as long as the relay wants\nMTA = postfix #\n'
    printf 'BASE = %s\nMYHOSTNAME = gate.behoerde.de\nADMIN = a@behoerde.de\nINTERNAL_DOMAINS = behoerde.de\n' "$work"
    printf 'MODE = gateway\nSCANNER_CLIENTS = 10.2.0.0/16' # no line end
} >"$conf"

ours() { # as julia -check says it
    for target in external scanner internal; do
        echo "target $target: /bin/true -C $(configuration_in "$(target_command "$conf" $target)")"
    done | sort
}
is "$(ours)" "$("$BUILD/bin/julia" -c "$conf" -check | sed -n 's/^[a-zA-Z]*  *\(target .*\)/\1/p' | sort)" 'configurations of the targets'
is "$(conf_value "$conf" SCANNER_CLIENTS)" 10.2.0.0/16 'a last line without its end'
is "$(conf_value "$conf" MTA)" postfix 'a comment of one sign'
is "$(deadline_of "$conf")" 1800 'DEADLINE with a comment behind it'
is "$(conf_value "$conf" LOG)$(conf_value "$work/none" LOG)" '' 'what is not set, and no file'
is "$(for text in 90 90s 10m 2h 1d; do duration $text; done | tr '\n' ' ')" '90 90 600 7200 86400 ' 'durations'
for text in '' s 1x 1.5h -1 '1 h'; do ! duration "$text" >/dev/null || diag "taken: $text"; done >"$work/taken"
is "$(cat "$work/taken")" '' 'what is no duration'
is "$(echo 'MTA = sendmail' >"$conf"; target_command "$conf" scanner)" '' 'no default for the commands of Sendmail'
is "$(: >"$conf"; target_command "$conf" scanner)" '/usr/sbin/sendmail -C /etc/postfix-julia-scanner -G' 'that of Postfix'
done_testing
