# Tenants in Sendmail. Sourced by julia-tenant; docs/tenants.md tells why it is done like this.
#
# The receiving instance: MAIL FROM works out whose mail a message is, by client and sender, and keeps it in a macro that is written
# to the queue file; without, each recipient's domain decides. julia-sendmail-setup makes sendmail.cf from what is written here.
# A queue belongs to one user, so each tenant has three of its own, and those that lead outside bring mail for tenants back on a port
# whose clients are nobody's (0.0.0.0).
# shellcheck shell=sh

TARGETS='external scanner internal'
BETWEEN_PORT=10032 # where mail between tenants comes back, on 127.0.0.1
NOTICE_PORT=10033  # where notices of tenants' queues come back

# ---- what is there ------------------------------------------------------------------------------------------------------------

# shellcheck source=contrib/lib/sendmail.sh
. "$lib/sendmail.sh"

main_target() { target_command "$main_conf" "$1"; } # main_target TARGET: its sendmail command
target_cf() { configuration_in "$(main_target "$1")"; }

mta_check_machine() {
    file=$(target_cf external)
    case $file in
    /*/external.cf) ;;
    *) die 2 "$main_conf: TARGET_EXTERNAL names no external.cf of julia-sendmail-setup; run it first" ;;
    esac
    dir=${file%/external.cf} etc=${dir%/julia} state=$dir/tenants
    sendmail=$(first_word "$(main_target external)")
    [ -x "$sendmail" ] || die 2 "$sendmail: no such program ($main_conf, TARGET_EXTERNAL)"
    [ -f "$dir/setup.root" ] || die 2 'the main installation is not in this Sendmail yet; run julia-sendmail-setup first'
    queues=$(cat "$dir/setup.root")
    setup=$main/bin/julia-sendmail-setup
    [ -x "$setup" ] || die 2 "$setup is missing: install julia anew"
    [ ! -e "$state" ] || [ -f "$state/names" ] || die 2 "$state exists already, and this program did not make it"
    work=$(mktemp -d)
}

mta_main_user() { stat -c %U "$queues/external"; }
mta_service() { say "julia-$1"; }

mta_check_tenant() {
    half_added "$adding" || ! grep -q "^Mjulia-${adding}[,	 ]" "$etc/sendmail.cf" ||
        die 2 "$etc/sendmail.cf has a mailer \"julia-$adding\" already, which this program did not make"
    for target in $TARGETS; do
        half_added "$adding" || [ ! -e "$dir/$adding-$target.cf" ] || die 2 "$dir/$adding-$target.cf exists already, and this program did not make it"
    done
    ! grep -q '^O UseCompressedIPv6Addresses=[Tt]' "$etc/sendmail.cf" ||
        die 2 "$etc/sendmail.cf: UseCompressedIPv6Addresses: tenants' clients are known by the long form of addresses; take it out of sendmail.mc"
    ours=$(printf '$=w\n' | "$sendmail" -C"$etc/sendmail.cf" -bt 2>/dev/null | sed 's/^> //')
    for domain in $domains; do
        ! printf '%s\n' "$ours" | grep -qixF "${domain#.}" || die 2 "Sendmail delivers ${domain#.} itself (class w, $etc/local-host-names); take it out there first"
    done
}

mta_target() { # mta_target NAME TARGET: the line for its julia.conf
    main_target "$2" | sed "s#$(target_cf "$2")#$dir/$1-$2.cf#; s#-L *julia-$2#-L julia-$1-$2#"
}

# ---- patterns -----------------------------------------------------------------------------------------------------------------

# Lines "BITS NETWORK OWNERS..." become "NUMBER REGEX OWNERS...": what ${client_addr} looks like within the network.
network_regex() {
    awk '
    function bit(s, i) { return i > length(s) ? "x" : substr(s, i, 1) }
    function fits(value, s, first, size,   i, b) { # the bits of value agree with those of s from first on
        for (i = size; i >= 1; i--) { b = bit(s, first + i - 1); if (b != "x" && b != value % 2) return 0; value = int(value / 2) }
        return 1
    }
    function octet(s, first,   v, r) {
        if (bit(s, first) == "x") return "[0-9]+"
        for (v = 0; v < 256; v++) if (fits(v, s, first, 8)) r = r (r == "" ? "" : "|") v
        return "(" r ")"
    }
    function nibble(s, first, least,   v, r) {
        for (v = least; v < 16; v++) if (fits(v, s, first, 4)) r = r substr("0123456789abcdef", v + 1, 1)
        return r == "" ? "" : "[" r "]"
    }
    function group(s, first,   skip, i, part, n, r) { # four nibbles, without leading zeros
        if (bit(s, first) == "x") return "[0-9a-f]+"
        for (skip = 0; skip < 4; skip++) {
            part = nibble(s, first + 4 * skip, skip < 3 ? 1 : 0)
            for (i = skip + 1; i < 4 && part != ""; i++) { n = nibble(s, first + 4 * i, 0); part = n == "" ? "" : part n }
            if (part != "") r = r (r == "" ? "" : "|") part
            if (!fits(0, s, first + 4 * skip, 4)) break
        }
        return "(" r ")"
    }
    $1 != "-" {
        s = substr($1, 2); r = ""
        if ($1 ~ /^4/) for (i = 1; i <= 25; i += 8) r = r (i > 1 ? "\\." : "") octet(s, i)
        else { r = "IPv6:"; for (i = 1; i <= 113; i += 16) r = r (i > 1 ? ":" : "") group(s, i) }
        owners = $3
        for (i = 4; i <= NF; i++) owners = owners " " $i
        print ++number, "^" r "$$", owners
    }'
}

class_words() { # class_words NAMES below|exact: of .x.example the first is "x.example", and the second has it too
    for name in $1; do
        for domain in $(domains_of "$name"); do
            case $2$domain in
            below.*) say "${domain#.}" ;;
            exact*) say "${domain#.}" ;;
            esac
        done
    done
}

class_line() { # class_line CLASS WORDS: each word in quotes, it is nothing that m4 knows
    say "C{$1} $(for word in $2; do printf "\`%s' " "$word"; done)" | sed 's/ $//'
}

# ---- what the receiving instance reads -----------------------------------------------

id_of() { printf %s "$1" | tr - _; } # names of classes and maps have no hyphen
mailer_of() { if [ "$1" = main ]; then say julia; else say "julia-$1"; fi; }

# The networks of all clients, the narrowest first: "NUMBER REGEX OWNERS...".
number_networks() { # number_networks NAMES
    for name in $1; do printf '%s %s %s\n' "$name" "$(clients_of "$name")" "$(scanners_of "$name")"; done | network_lines |
        awk '$1 != "-" { print length($1), $1, $2, $3 }' | sort -u -k1,1nr -k3,3 -k4,4 | awk '
            $3 != network { if (network != "") print line; network = $3; line = $2 " " $3 }
            { line = line " " $4 }
            END { if (network != "") print line }' | network_regex
}

numbers_of() { # numbers_of NAME: of its networks
    awk -v name="$1" '{ for (i = 3; i <= NF; i++) if ($i == name) print $1 }' "$work/networks"
}

in_network() { # in_network NUMBER: "? $| REST" becomes "yes $| REST" if the client is in it
    say "R? \$| \$*		\$: \$(julia_net_$1 \$&{client_addr} \$: ? \$) \$| \$1"
}

check_rules() { # check_rules EVERYONE TENANTS
    cat <<'END'
# By julia-tenant(8), from the julia.conf of all tenants. Rules of rulesets that there are already follow theirs.
LOCAL_RULESETS
SLocal_check_rcpt
# Clients of tenants may send everywhere.
R$*			$: ? $| $1
END
    for number in $(for name in $2; do numbers_of "$name"; done | sort -nu); do in_network "$number"; done
    cat <<'END'
Ryes $| $*		$# OK
R? $| $*		$: $1
END
    for name in $1; do
        cat <<END

# $name, if the client is one of $name, else what stood there.
SJuliaOf_$(id_of "$name")
R\$*			\$: ? \$| \$1
END
        for number in $(numbers_of "$name"); do in_network "$number"; done
        cat <<END
R? \$| \$*		\$@ \$1
R\$*			\$@ $name
END
    done
    cat <<'END'

# Whose mail is it? That of the client, the narrowest network counts; of several that have the client, that of the sender.
SLocal_check_mail
R$*			$: < $&{daemon_name} > < $&s > $| $1
R< julia-notices > < $- . julia-tenant . invalid > $| $*	$@ $(julia_keep {julia_tenant} $@ $1 $)
R< julia-between > < $* > $| $*	$@ $(julia_keep {julia_tenant} $) $(julia_keep {client_addr} $@ 0.0.0.0 $)
R$* $| $*		$: ? $| $2
END
    while read -r number _ owners; do
        in_network "$number"
        case $owners in *' '*) owners=- ;; esac
        say "Ryes \$| \$*		\$: $owners \$| \$1"
    done <"$work/networks"
    cat <<'END'
R$* $| $* < $* > $*	$: $1 $| $3
R$* $| $* .		$: $1 $| $2
END
    for name in $1; do
        id=$(id_of "$name")
        cat <<END
R\$* \$| \$* @ \$={julia_exact_$id}	\$: \$>JuliaOf_$id \$1
R\$* \$| \$* @ \$+ . \$={julia_below_$id}	\$: \$>JuliaOf_$id \$1
END
    done
    cat <<'END'
R$* $| $*		$: $1
R-			$@ $(julia_keep {julia_tenant} $)
R?			$@ $(julia_keep {julia_tenant} $)
R$*			$@ $(julia_keep {julia_tenant} $@ $1 $)
END
}

config_lines() { # config_lines EVERYONE TENANTS
    say "
LOCAL_CONFIG
C{persistentMacros}{julia_tenant}"
    for name in $1; do
        class_line "julia_exact_$(id_of "$name")" "$(class_words "$name" exact)"
        class_line "julia_below_$(id_of "$name")" "$(class_words "$name" below)"
    done
    class_line R "$(class_words "$2" exact)"
    while read -r number regex _; do say "Kjulia_net_$number regex -ayes $regex"; done <"$work/networks"
}

daemon_lines() {
    cat <<END
DAEMON_OPTIONS(\`Name=julia-between, Family=inet, Addr=127.0.0.1, Port=$BETWEEN_PORT')dnl
DAEMON_OPTIONS(\`Name=julia-notices, Family=inet, Addr=127.0.0.1, Port=$NOTICE_PORT')dnl
END
}

route_rules() { # route_rules EVERYONE
    cat <<'END'

LOCAL_RULE_0
R$* < @ $=w . > $*	$@ $1 < @ $2 . > $3
R$* < @ $* > $*		$: $&{julia_tenant} $| $1 < @ $2 > $3
END
    for name in $1; do say "R$name \$| \$* < @ \$* > \$*	\$#$(mailer_of "$name") \$@ julia \$: \$1 < @ \$2 > \$3"; done
    cat <<'END'
R$+ $| $*		$#error $@ 4.3.5 $: "451 the tenant " $1 " is not here any more"
R$* $| $*		$: $2
END
    for name in $1; do
        for dot in '' ' .'; do
            cat <<END
R\$* < @ \$={julia_exact_$(id_of "$name")}$dot > \$*	\$#$(mailer_of "$name") \$@ julia \$: \$1 < @ \$2 > \$3
R\$* < @ \$+ . \$={julia_below_$(id_of "$name")}$dot > \$*	\$#$(mailer_of "$name") \$@ julia \$: \$1 < @ \$2 . \$3 > \$4
END
        done
    done
}

# The definition that the main installation has chosen, with a tenant's program, file and user. That of the operating concept stands
# first in julia's lines and names no user; the recommended one stands last.
mailer_lines() { # mailer_lines TENANTS
    chosen=$(sed -n "s/^define(.JULIA_MAILER', .\([a-z]*\)')dnl/\1/p" "$etc/sendmail.mc")
    say "
MAILER_DEFINITIONS"
    for name in $1; do
        tenant_base=$(base_of "$name")
        awk -v chosen="$chosen" '
            /^Mjulia,/ { mine = text == "" || chosen != "concept"; if (mine) text = "" }
            mine && /^(Mjulia,|[ \t])/ { text = text (text == "" ? "" : "\n") $0; next }
            { mine = 0 }
            END { print text }' "$etc/sendmail.mc" |
            sed -e "s#^Mjulia,#Mjulia-$name,#; s#JULIA_PROGRAM#$tenant_base/bin/julia#g; s#JULIA_CONF#$tenant_base/etc/julia.conf#" \
                -e "s#JULIA_USER#julia-$name:julia-$name#; /U=/!s#F=[A-Za-z0-9]*,#& U=julia-$name:julia-$name,#"
    done
}

front_lines() { # front_lines TENANTS
    number_networks "main $1" >"$work/networks"
    check_rules "main $1" "$1"
    config_lines "main $1" "$1"
    daemon_lines
    route_rules "main $1"
    mailer_lines "$1"
}

# ---- queues ---------------------------------------------------------------------------------------------------------------------

between_lines() { # between_lines EVERYONE: at the end of each queue that leads outside
    cat <<END

# ---- mail for a tenant does not go outside (julia-tenant)
$(class_line julia_here "$(class_words "$1" exact)" | tr -d "\`'")
$(class_line julia_here_below "$(class_words "$1" below)" | tr -d "\`'")
SBetween
R\$*			\$: \$&s \$| \$1
R\$+ \$| \$*		\$@ \$2
R\$* \$| \$*		\$: \$2
R\$* @ \$={julia_here}	\$#between \$@ [127.0.1] \$: \$1 @ \$2
R\$* @ \$+ . \$={julia_here_below}	\$#between \$@ [127.0.1] \$: \$1 @ \$2 . \$3
Mbetween,	P=[IPC], F=a8muXk, E=\\r\\n, L=0, T=DNS/RFC822/SMTP, A=TCP [127.0.1] $BETWEEN_PORT
END
}

relay_lines() { # relay_lines NAME TARGET: sed commands for another relay, if it has one
    relay=$(relay_of "$1" "$2")
    [ -n "$relay" ] || return 0
    split_relay "$relay"
    say "s|^D{JuliaHost}.*|D{JuliaHost}$host|; s|^D{JuliaPort}.*|D{JuliaPort}$number|"
}

# As that of the main installation, with another user, place and relay. Its notices come back on a port of their own, and by its
# HELO the receiving instance knows whose they are.
queue_lines() { # queue_lines NAME TARGET
    relay_edit=$(relay_lines "$1" "$2")
    main_user=$(mta_main_user)
    sed -e "s|$queues/$2|$queues/$1-$2|g; s|julia-$2|julia-$1-$2|g; s|^\(D{NoticePort}\).*|\1$NOTICE_PORT|" \
        -e "s|^\(O RunAsUser=\).*|\1julia-$1:julia-$1|; s|^\(O DefaultUser=\).*|\1julia-$1:julia-$1|; s|^\(O TrustedUser=\).*|\1julia-$1|" \
        -e "s|^T$main_user\$|Tjulia-$1|; s|^# Do not edit.*|# Made by julia-tenant(8) from that of the main installation. Do not edit: change that one, then julia-tenant update.|" \
        -e "$relay_edit" "$dir/$2.cf"
    say "O HeloName=$1.julia-tenant.invalid"
}

make_queue() { # make_queue NAME TARGET
    queue_lines "$1" "$2" >"$work/queue.cf"
    put_file "$work/queue.cf" "$dir/$1-$2.cf"
    [ -d "$queues/$1-$2/mqueue" ] || { doing "make $queues/$1-$2" && install -d -m 700 -o "julia-$1" -g "julia-$1" "$queues/$1-$2" "$queues/$1-$2/mqueue"; } || :
}

put_file() { # put_file NEW FILE
    ! cmp -s "$1" "$2" || return 0
    doing "write $2" || return 0
    cp "$1" "$2.new"
    chmod 644 "$2.new"
    mv "$2.new" "$2"
}

stop_queue() { stop_pid "$(pid_in "$queues/$1-$2/sendmail.pid")" "queue \"$1-$2\""; } # stop_queue NAME TARGET

remove_queue() { # remove_queue NAME TARGET
    [ -e "$dir/$1-$2.cf" ] || [ -d "$queues/$1-$2" ] || return 0
    doing "remove the queue \"$1-$2\": $queues/$1-$2, $dir/$1-$2.cf" || return 0
    stop_queue "$1" "$2"
    if [ "$(count_mail "$queues/$1-$2/mqueue")" = 0 ]; then
        rm -rf "${queues:?}/$1-$2"
    else
        mv "$queues/$1-$2" "$queues/$1-$2.saved-$stamp"
        chown -R root: "$queues/$1-$2.saved-$stamp"
        warn "the mail of queue \"$1-$2\" is kept in $queues/$1-$2.saved-$stamp"
    fi
    rm -f "$dir/$1-$2.cf"
}

# ---- in and out -----------------------------------------------------------------------------------------------------------------

FILES='sendmail.mc sendmail.cf julia/external.cf julia/setup.sums'

save_files() { # dated copies, before the first change of a run
    [ ! -d "$state/copies/$stamp" ] || return 0
    mkdir -p "$state/copies/.$stamp/julia"
    [ -f "$state/names" ] || : >"$state/names"
    for file in $FILES; do cp -p "$etc/$file" "$state/copies/.$stamp/$file"; done
    mv "$state/copies/.$stamp" "$state/copies/$stamp"
}

# sendmail.cf and external.cf, from what lies in $state now; julia-sendmail-setup makes and tries them before it writes anything.
run_setup() {
    [ -z "$check" ] || return 0
    "$setup" -b "$main" -c "$main_conf" -u "$(mta_main_user)" --etc "$etc" --sendmail "$sendmail" >"$work/setup" 2>&1 || {
        cat "$work/setup" >&2
        die 75 'julia-sendmail-setup failed, see above'
    }
    pid=$(pid_in "$(option_of PidFile "$etc/sendmail.cf")")
    [ -z "$pid" ] || kill -HUP "$pid"
}

all_out() { # the last tenant leaves: the files of before the first, where nobody else has changed anything since
    doing "take the tenants out of $etc/sendmail.cf and $dir/external.cf" || return 0
    rm -f "$state/front.m4" "$state/queue.cf"
    run_setup
    first=$state/copies/$(find "$state/copies" -mindepth 1 -maxdepth 1 -name '[0-9]*' | sed 's#.*/##' | sort | head -n 1)
    for file in sendmail.mc sendmail.cf julia/external.cf; do
        [ "$(settings_of "$first/$file")" != "$(settings_of "$etc/$file")" ] || cp -p "$first/$file" "$etc/$file"
    done
    if (cd "$dir" && sha256sum -c --status "$first/julia/setup.sums" 2>/dev/null); then
        cp -p "$first/julia/setup.sums" "$dir/setup.sums"
        rm -rf "$state"
    else
        mv "$state/copies" "$dir/tenants.copies-$stamp"
        rm -rf "$state"
        say "the files as they were: $dir/tenants.copies-$stamp"
    fi
}

mta_apply() { # mta_apply NAMES: these tenants, and no others
    names=$(one_line "$(printf '%s\n' "$1" | tr ' ' '\n' | sort -u)")
    had=$(cat "$state/names" 2>/dev/null || :)
    [ -n "$names$had" ] || return 0
    gone=$(for name in $had; do case " $names " in *" $name "*) ;; *) printf '%s ' "$name" ;; esac; done)
    if [ -z "$names" ]; then
        all_out
    else
        apply_pending=$pending
        [ -n "$check" ] || { save_files; one_line "$had $names" >"$state/names"; }
        front_lines "$names" >"$work/front.m4"
        between_lines "main $names" >"$work/between"
        put_file "$work/front.m4" "$state/front.m4"
        put_file "$work/between" "$state/queue.cf"
        [ $pending = "$apply_pending" ] || run_setup
        for name in $names; do for target in $TARGETS; do make_queue "$name" "$target"; done; done
        [ -n "$check" ] || say "$names" >"$state/names"
        [ -n "$check" ] || [ $pending != "$apply_pending" ] || rm -rf "$state/copies/$stamp"
    fi
    for name in $gone; do for target in $TARGETS; do remove_queue "$name" "$target"; done; done
}

mta_waiting() { # mta_waiting NAME: where mail of this tenant waits
    for target in $TARGETS; do
        count=$(count_mail "$queues/$1-$target/mqueue")
        [ "$count" = 0 ] || printf '%s (%s files) ' "$target" "$count"
    done
    [ -n "$(domains_of "$1")" ] || return 0 # it was never completed
    pattern=$(for domain in $(domains_of "$1"); do printf '|@%s[> ]*$' "$(domain_regex "$domain")"; done | cut -c 2-)
    front_queue=$(option_of QueueDirectory "$etc/sendmail.cf")
    # for or from one of its domains, or its own because its client sent it
    count=$(find "$front_queue" -type f -name '[hq]f*' -exec grep -Eil -- "^[SR].*($pattern)|^[$][{]julia_tenant[}]$1\$" {} + 2>/dev/null | wc -l)
    [ "$count" = 0 ] || printf 'receiving instance (%s) ' "$count"
}

mta_activate() {
    units=$(for name in $(tenants); do for target in $TARGETS; do printf 'julia-queue@%s-%s ' "$name" "$target"; done; done)
    if [ -d /run/systemd/system ] && [ $start = no ]; then
        say "now type: systemctl restart sendmail; systemctl enable --now $units"
    elif [ $start = no ]; then
        say "now type: $PROGRAM update --start"
    else
        for name in $(tenants); do
            for target in $TARGETS; do
                stop_queue "$name" "$target"
                "$sendmail" -L "julia-$name-$target" -C"$dir/$name-$target.cf" -q1m
            done
        done
        "$setup" --start -b "$main" -c "$main_conf" -u "$(mta_main_user)" --etc "$etc" --sendmail "$sendmail"
    fi
}
