# Words that julia-tenant reads and writes: names, domains, networks, values of julia.conf. Sourced by julia-tenant.
# shellcheck shell=sh

one_line() { printf '%s\n' "$*" | tr -s ' \t\n' '   ' | sed 's/^ //; s/ $//'; }
first_word() { one_line "$1" | cut -d ' ' -f 1; }
lower() { printf '%s\n' "$*" | tr '[:upper:]' '[:lower:]'; }

# ---- names, paths, relays -------------------------------------------------------------------------------------------------

# The name becomes part of users (at most 32 octets: julia-NAME-smime), folders and MTA services. The reserved ones are parts of
# such names already.
check_name() {
    case $1 in
    *[!a-z0-9-]* | -* | *- | '')
        die 2 "\"$1\" cannot name a tenant: only a-z, 0-9 and - (not at the ends), because users, folders and services are named after it"
        ;;
    main | keys | keys-* | trust | smime | external | scanner | internal | notices | tenant | tenants)
        die 2 "\"$1\" cannot name a tenant: the main installation uses this word; choose another"
        ;;
    *-keys | *-trust | *-smime)
        die 2 "\"$1\" cannot name a tenant: the users of the modules of tenant ${1%-*} have such names; choose another"
        ;;
    esac
    [ ${#1} -le 20 ] || die 2 "\"$1\" cannot name a tenant: at most 20 letters, because users are named after it"
}

check_path() { # nothing that a configuration would read differently
    case $1 in
    /*[!A-Za-z0-9_./@-]* | */../* | */..) die 2 "\"$1\": only letters, digits and _ . / @ - can be used here, and no .." ;;
    /?*) ;;
    *) die 2 "$1: an absolute path is needed" ;;
    esac
}

check_relay() {
    case $1 in
    *[!A-Za-z0-9_./:@\[\]-]*) die 2 "\"$1\": not a relay; only letters, digits and _ . / : @ [ ] - can be used here" ;;
    esac
}

# ---- domains: x.example is that one, .x.example it and all below it ---------------------------------------------------------

check_domains() {
    for domain in "$@"; do
        printf '%s\n' "$domain" | grep -Eq '^\.?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$' ||
            die 2 "\"$domain\" is not a domain; write x.example (exactly) or .x.example (it and all below), names with umlauts as xn--..."
    done
}

domain_in() { # domain_in NAME PATTERN
    case $2 in
    .*) [ "$1" = "${2#.}" ] || [ "${1%"$2"}" != "$1" ] ;;
    *) [ "$1" = "$2" ] ;;
    esac
}

# Whether some name matches both patterns.
domains_meet() { domain_in "${1#.}" "$2" || domain_in "${2#.}" "$1"; }

domain_regex() { # the extended regular expression for what stands behind the @
    escaped=$(printf '%s\n' "${1#.}" | sed 's/\./\\./g')
    case $1 in
    .*) printf '(.+\\.)?%s\n' "$escaped" ;;
    *) printf '%s\n' "$escaped" ;;
    esac
}

# ---- networks ---------------------------------------------------------------------------------------------------------------

# Lines "OWNER NETWORK..." become lines "BITS NETWORK OWNER": family and leading bits as text, so that one network lies in another
# if its bits begin with the other's; the network in the shortest form of cidr_table(5), without host bits. What is
# not a network: "- WORD OWNER".
network_lines() {
    awk '
    function hex(s,   i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
    function binary(v, n,   s) { s = ""; while (n-- > 0) { s = (v % 2) s; v = int(v / 2) } return s }
    function four(a,   o, i, s) {
        if (split(a, o, ".") != 4) return ""
        for (i = 1; i <= 4; i++) { if (o[i] !~ /^[0-9]+$/ || o[i] > 255) return ""; s = s binary(o[i], 8) }
        return s
    }
    function groups(a,   g, i, n, s) {
        if (a == "") return ""
        n = split(a, g, ":")
        for (i = 1; i <= n; i++) { if (g[i] !~ /^[0-9a-f]+$/ || length(g[i]) > 4) return "x"; s = s binary(hex(g[i]), 16) }
        return s
    }
    function six(a,   at, head, tail) {
        at = index(a, "::")
        if (!at) return groups(a)
        head = groups(substr(a, 1, at - 1)); tail = groups(substr(a, at + 2))
        if (head == "x" || tail == "x" || length(head tail) > 112) return ""
        while (length(head tail) < 128) head = head "0"
        return head tail
    }
    function number(s,   i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 2 + substr(s, i, 1); return v }
    function written(bits, size,   i, s) {
        while (length(bits) < size) bits = bits "0"
        if (size == 32) {
            for (i = 1; i <= 25; i += 8) s = s (i > 1 ? "." : "") number(substr(bits, i, 8))
        } else for (i = 1; i <= 113; i += 16) s = s (i > 1 ? ":" : "") sprintf("%x", number(substr(bits, i, 16)))
        return s
    }
    {
        for (f = 2; f <= NF; f++) {
            word = tolower($f); gsub(/[][]/, "", word)
            n = split(word, part, "/"); size = (part[1] ~ /:/) ? 128 : 32
            bits = size == 128 ? six(part[1]) : four(part[1])
            len = n > 1 ? part[2] : size
            if (length(bits) != size || n > 2 || len !~ /^[0-9]+$/ || len > size) { print "-", $f, $1; continue }
            bits = substr(bits, 1, len)
            print (size == 128 ? 6 : 4) bits, written(bits, size) "/" len, $1
        }
    }'
}

check_clients() { # check_clients NETWORK...
    [ $# -gt 0 ] || return 0
    printf 'x %s\n' "$*" | network_lines | while read -r bits network _; do
        [ "$bits" != - ] || die 2 "\"$network\" is not a network; write 192.0.2.0/24 or 2001:db8::/32"
        case $bits in
        4 | 6) die 2 "$network is everybody: no tenant's clients can be told from the world" ;;
        401111111* | "6$(printf '%0127d' 0)1") die 2 "$network: mail from this host itself (127.0.0.0/8, ::1) is the main installation's" ;;
        esac
    done || exit 2
}

# Reads "OWNER NETWORK..." lines and prints the pairs "OWNER NETWORK OTHER NETWORK" of different owners that overlap.
networks_that_meet() {
    network_lines | awk '
    { bits[NR] = $1; net[NR] = $2; who[NR] = $3 }
    END {
        for (i = 1; i <= NR; i++) for (j = 1; j < i; j++)
            if (who[i] != who[j] && (index(bits[i], bits[j]) == 1 || index(bits[j], bits[i]) == 1)) print who[j], net[j], who[i], net[i]
    }'
}

# ---- julia.conf -------------------------------------------------------------------------------------------------------------

# Sets NAME where the shipped file has it as a comment, or at the end. FILE is one that nobody has edited yet.
set_conf() { # set_conf FILE NAME VALUE
    awk -v name="$2" -v value="$3" '
        !done && $0 ~ "^#?" name " *=" { print name " = " value; done = 1; next }
        { print }
        END { if (!done) print name " = " value }' "$1" >"$1.new"
    cat "$1.new" >"$1"
    rm "$1.new"
}
