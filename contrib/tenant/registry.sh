# Which tenants there are: MAIN/etc/tenants/NAME, lines "key value". Sourced by julia-tenant.
# shellcheck shell=sh

tenants() { # names, blanks between
    [ -d "$registry" ] || return 0
    (cd "$registry" && for name in *; do [ ! -f "$name" ] || printf '%s ' "$name"; done)
}

is_tenant() { [ -f "$registry/$1" ]; }
registered() { sed -n "s/^$2 //p" "$registry/$1" 2>/dev/null; } # registered NAME KEY
half_added() { [ "$(registered "$1" state)" = adding ]; }

# Written before anything else, so that whatever is made afterwards can be completed or removed.
register() {
    doing "note tenant $adding in $registry" || return 0
    [ -d "$registry" ] || install -d -m 755 "$registry"
    {
        printf 'state adding\nbase %s\nservices %s\n' "$base" "$services"
        printf 'external %s\ninternal %s\nscanner %s\n' "$external" "$internal" "$scanner"
    } >"$registry/.$adding.new"
    chmod 644 "$registry/.$adding.new"
    mv "$registry/.$adding.new" "$registry/$adding"
}

register_done() {
    sed "s/^state .*/state added $stamp/" "$registry/$1" >"$registry/.$1.new"
    mv "$registry/.$1.new" "$registry/$1"
}

# ---- one tenant's words, whether it exists already or is being added; "main" is the main installation -------------------------

base_of() {
    if [ "$1" = main ]; then
        say "$main"
    elif [ "$1" = "$adding" ] && [ -n "$base" ]; then
        say "$base"
    else
        registered "$1" base
    fi
}
conf_of() { say "$(base_of "$1")/etc/julia.conf"; }

# Of a tenant that is being added, julia.conf may not be there yet.
from_conf() { # from_conf NAME PARAMETER VALUE-WHEN-NEW
    if [ "$1" = "$adding" ] && [ ! -f "$(conf_of "$1")" ]; then one_line "$3"; else one_line "$(conf_value "$(conf_of "$1")" "$2")"; fi
}
domains_of() { lower "$(from_conf "$1" INTERNAL_DOMAINS "${domains-}")"; }
clients_of() { from_conf "$1" INTERNAL_CLIENTS "${clients-}"; }
scanners_of() { from_conf "$1" SCANNER_CLIENTS "${scanners-}"; }

relay_of() { # relay_of NAME TARGET: its own relay, or nothing
    if [ "$1" = "$adding" ] && ! is_tenant "$1"; then
        case $2 in external) say "$external" ;; internal) say "$internal" ;; scanner) say "$scanner" ;; esac
    else
        registered "$1" "$2"
    fi
}

# ---- what two tenants cannot share ---------------------------------------------------------------------------------------------

check_neighbours() {
    for name in main $(tenants); do
        [ "$name" != "$adding" ] || continue
        who="tenant $name"
        [ "$name" != main ] || who='the main installation'
        for theirs in $(domains_of "$name"); do
            for domain in $domains; do
                ! domains_meet "$domain" "$theirs" || die 2 "domain $domain: $theirs belongs to $who already"
            done
        done
        check_scanners "$name"
    done
}

# Mail that comes back from a scanner carries the outside sender, so nothing but its address tells whose it is.
check_scanners() { # check_scanners NAME
    meet=$(printf '%s %s\n' "$adding" "$scanners" "$1" "$(clients_of "$1") $(scanners_of "$1")" | networks_that_meet | head -n 1)
    [ -z "$meet" ] || die 2 "-S: $meet: mail that comes back from a scanner could not be told apart; each tenant's scanner needs an address of its own"
    meet=$(printf '%s %s\n' "$adding" "$clients" "$1" "$(scanners_of "$1")" | networks_that_meet | head -n 1)
    [ -z "$meet" ] || die 2 "-l: $meet is a scanner of $who; name the tenant's own clients by -l"
}
