# TAP for test scripts in bash. Source it, call ok/is/like, end with done_testing.
#
#   ok STATUS NAME          passes when STATUS is 0 (write: some command; ok $? "name")
#   is GOT EXPECTED NAME    passes when both texts are the same; shows the difference otherwise
#   like TEXT REGEX NAME    passes when the extended regular expression is found in TEXT
#   diag TEXT...            a remark in the output
#   skip_all REASON         ends the script: nothing here can be tested
#   done_testing            prints the plan; returns 1 if anything failed
tap_count=0
tap_failed=0

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

ok() {
    tap_count=$((tap_count + 1))
    if [ "$1" = 0 ]; then
        printf 'ok %d - %s\n' "$tap_count" "$2"
        return 0
    fi
    tap_failed=$((tap_failed + 1))
    printf 'not ok %d - %s\n' "$tap_count" "$2"
    return 1
}

is() {
    [ "$1" = "$2" ]
    ok $? "$3" || diff <(printf '%s\n' "$2") <(printf '%s\n' "$1") | sed -e 's/^</# expected/' -e 's/^>/# got     /' -e 's/^[^#]/# &/'
}

like() {
    printf '%s\n' "$1" | grep -Eq -- "$2"
    ok $? "$3" || diag "not found: $2" "in: $1"
}

skip_all() {
    printf '1..0 # SKIP %s\n' "$*"
    exit 0
}

done_testing() {
    printf '1..%d\n' "$tap_count"
    [ "$tap_failed" = 0 ]
}
