# Tenants in Postfix. Sourced by julia-tenant; docs/tenants.md tells why it is done like this.
#
# Main instance: by itself a message goes to the tenant of its recipient (transport_maps). Mail of a tenant's clients goes to the
# tenant they belong to as a whole, by a FILTER in smtpd_data_restrictions, whoever its recipients are. A queue that leads outside
# does not let mail for a tenant's domain go: it hands it to that tenant's julia, as a client that is nobody's (0.0.0.0).
# shellcheck shell=sh

TARGETS='external scanner internal'
OUTSIDER=0.0.0.0 # the client of mail between tenants: no network has it, and it is not this host

# ---- what is there ------------------------------------------------------------------------------------------------------------

mta_check_machine() {
    command -v postconf >/dev/null || die 2 "$main_conf says MTA = postfix, but Postfix is not installed"
    front=$(postconf -d -h config_directory)
    state=$front/julia-tenants
    [ -f "$front/main.cf" ] && [ -f "$front/master.cf" ] || die 2 "$front is not complete: set up Postfix and the main installation first"
    set_up=$front/julia-postfix-setup.d
    [ -d "$set_up" ] || die 2 "the main installation is not in this Postfix yet; run julia-postfix-setup first"
    root=$(cat "$set_up/root")
    work=$(mktemp -d)
    main_service=$(entry "$front" julia)
    case $main_service in
    *" argv=$main/bin/julia -c $main_conf "*) ;;
    *) die 2 "service \"julia\" in $front/master.cf does not run $main/bin/julia -c $main_conf; name the main installation by -m" ;;
    esac
    [ ! -e "$state" ] || [ -f "$state/names" ] || die 2 "$state exists already, and this program did not make it"
    for target in $TARGETS; do
        [ -f "$(queue_etc main "$target")/main.cf" ] || die 2 "$(queue_etc main "$target") is no Postfix configuration; run julia-postfix-setup again"
    done
}

mta_main_user() { printf '%s\n' "$main_service" | sed 's/.* user=\([^ :]*\).*/\1/'; }
mta_service() { say "julia-$1"; }

# What postconf says of a configuration directory: everything, -n what is set, -M the services. Asked once, then kept in step: after
# each change of main.cf the next program that reads it waits until the file is two seconds old.
asked() { # asked DIRECTORY [OPTION]: the name of a file
    asked_file=$work/$(printf %s "$1$2" | tr / _)
    [ -f "$asked_file" ] || postconf -c "$1" ${2:+"$2"} >"$asked_file" 2>/dev/null
}
now_is() { # now_is DIRECTORY NAME [LINE]
    for option in '' -n; do
        asked "$1" "$option"
        grep -v "^$2 =" "$asked_file" >"$work/new" || :
        [ $# -lt 3 ] || printf '%s\n' "$3" >>"$work/new"
        mv "$work/new" "$asked_file"
    done
}
setting() { # setting DIRECTORY NAME
    asked "$1" ''
    sed -n "s/^$2 = \{0,1\}//p" "$asked_file"
}
is_set() { # is_set DIRECTORY NAME
    asked "$1" -n
    grep -q "^$2 =" "$asked_file"
}
entry() { # entry DIRECTORY SERVICE: its line in master.cf, blanks squeezed
    asked "$1" -M
    awk -v name="$2" '$1 == name && $2 == "unix" { $1 = $1; print }' "$asked_file"
}
setting_words() { postconf -c "$1" -x -h "$2" 2>/dev/null | tr ',\n' '  '; }

mta_check_tenant() {
    half_added "$adding" || [ -z "$(entry "$front" "julia-$adding")" ] ||
        die 2 "$front/master.cf has a service \"julia-$adding\" already, which this program did not make"
    for target in $TARGETS; do
        half_added "$adding" || ! own_queue "$adding" "$target" || [ ! -e "$(queue_etc "$adding" "$target")" ] ||
            die 2 "$(queue_etc "$adding" "$target") exists already, and this program did not make it"
    done
    [ -z "$(setting "$front" content_filter)" ] ||
        die 2 "content_filter is set in $front/main.cf; tenants are told apart by FILTER, which would switch it off. Put the filter before this Postfix"
    for domain in $domains; do
        for name in mydestination virtual_mailbox_domains virtual_alias_domains; do
            case " $(setting_words "$front" $name) " in
            *" ${domain#.} "*) die 2 "Postfix delivers ${domain#.} itself ($name in $front/main.cf); take it out there first" ;;
            esac
        done
    done
    mta_hints
}

mta_hints() {
    [ -d "$state" ] || [ -z "$(setting "$front" transport_maps)" ] ||
        warn "note: transport_maps is set in $front/main.cf; mail of internal clients goes through julia from now on, whatever it says"
    [ -z "$(setting "$front" relay_recipient_maps)" ] ||
        warn "note: relay_recipient_maps is set in $front/main.cf; the tenant's recipients must be in it"
    postconf -c "$front" -P 2>/dev/null | grep -v '^127\.0\.0\.1:[0-9]*/inet/.* =$' | grep -E '/inet/(smtpd_data_restrictions|content_filter) = ' |
        while read -r line; do
            warn "note: $front/master.cf: $line: mail between tenants that comes in there is not treated as outgoing"
        done
}

# ---- queues ---------------------------------------------------------------------------------------------------------------------

main_target() { target_command "$main_conf" "$1"; } # main_target TARGET: its sendmail command

own_queue() { [ -n "$(relay_of "$1" "$2")" ]; }

queue_folder() { # queue_folder NAME TARGET etc|queue|data: of a queue of its own
    if [ -n "$root" ]; then
        say "$root/$1-$2/$3"
    else
        case $3 in etc) say "/etc/postfix-julia-$1-$2" ;; queue) say "/var/spool/postfix-julia-$1-$2" ;; data) say "/var/lib/postfix-julia-$1-$2" ;; esac
    fi
}

queue_etc() { # queue_etc NAME TARGET
    if [ "$1" != main ] && own_queue "$1" "$2"; then
        queue_folder "$1" "$2" etc
    else
        configuration_in "$(main_target "$2")"
    fi
}

mta_target() { # mta_target NAME TARGET: the line for its julia.conf
    main_target "$2" | sed "s#-C *$(queue_etc main "$2")\( \|\$\)#-C $(queue_etc "$1" "$2")\1#"
}

queues_outside() { # the configurations of all queues that lead outside, for the tenants NAMES
    {
        queue_etc main external
        for name in $1; do ! own_queue "$name" external || queue_etc "$name" external; done
    } | sort -u
}

# ---- changes, gathered for each configuration directory ----------------------------------------------------------------------------

save_files() { # dated copies, before the first change of a run
    [ ! -d "$state/copies/$stamp" ] || return 0
    mkdir -p "$state/copies"
    [ -f "$state/names" ] || : >"$state/names"
    for target in front $TARGETS; do
        directory=$front
        [ "$target" = front ] || directory=$(queue_etc main "$target")
        mkdir -p "$state/copies/.$stamp/$target"
        cp -p "$directory/main.cf" "$directory/master.cf" "$state/copies/.$stamp/$target"
    done
    mv "$state/copies/.$stamp" "$state/copies/$stamp"
}

our_files() { for target in $TARGETS; do queue_etc main "$target"; done | sort -u | sed 's#$#/main.cf#; p; s#main.cf$#master.cf#' && say "$front/main.cf
$front/master.cf"; }
# Only while nobody else has edited the files, the copies may be put back.
# shellcheck disable=SC2046
seal() { [ $intact = no ] || sha256sum $(our_files) >"$state/sealed"; }
was_sealed() { [ -f "$state/sealed" ] && sha256sum -c --status "$state/sealed" 2>/dev/null; }

parameter() { # parameter DIRECTORY NAME VALUE
    [ "$(setting "$1" "$2")" != "$3" ] || return 0
    now_is "$1" "$2" "$2 = $3"
    doing "set $2 = $3 in $1/main.cf" || return 0
    edits="$edits$2 = $3
"
}

no_parameter() { # no_parameter DIRECTORY NAME
    is_set "$1" "$2" || return 0
    now_is "$1" "$2"
    doing "take $2 out of $1/main.cf" || return 0
    unsets="$unsets $2"
}

service() { # service DIRECTORY NAME ENTRY: before any parameter of this directory
    [ "$(entry "$1" "$2")" != "$3" ] || return 0
    doing "set service $2 in $1/master.cf" || return 0
    postconf -c "$1" -M "$2/unix=$3"
    rm -f "$work/$(printf %s "$1" | tr / _)"*
}

no_service() { # no_service DIRECTORY NAME: after its parameters, which are unknown without it
    [ -n "$(entry "$1" "$2")" ] || return 0
    doing "take service $2 out of $1/master.cf" || return 0
    postconf -c "$1" -MX "$2/unix"
}

# Lists: our words are added to what is there, and only they are taken out again.
has_word() { case " $(setting "$1" "$2" | tr ',\n' '  ') " in *" $3 "*) ;; *) return 1 ;; esac; }
remember_unset() {
    [ -z "$check" ] && ! is_set "$1" "$2" || return 0
    printf '%s %s\n' "$1" "$2" >>"$state/unset"
}
put_first() { # put_first DIRECTORY NAME WORD
    has_word "$@" && return 0
    remember_unset "$1" "$2"
    parameter "$1" "$2" "$3$(setting "$1" "$2" | sed '/./s/^/ /')"
}
put_last() { # put_last DIRECTORY NAME WORD...
    put_dir=$1 put_name=$2 put_value=$(setting "$1" "$2")
    shift 2
    for word in "$@"; do
        has_word "$put_dir" "$put_name" "$word" || put_value=${put_value:+$put_value }$word
    done
    [ "$put_value" != "$(setting "$put_dir" "$put_name")" ] || return 0
    remember_unset "$put_dir" "$put_name"
    parameter "$put_dir" "$put_name" "$put_value"
}
take_out() { # take_out DIRECTORY NAME WORD...
    out_dir=$1 out_name=$2 out_value=$(setting "$1" "$2")
    shift 2
    for word in "$@"; do
        has_word "$out_dir" "$out_name" "$word" || continue
        escaped=$(printf '%s\n' "$word" | sed 's/[]*^$.[]/\\&/g')
        out_value=$(printf '%s\n' "$out_value" | sed "s#\(^\|[ ,]\)$escaped\([ ,].*\|\$\)#\1\2#; s/  */ /g; s/^[ ,]*//; s/[ ,]*\$//")
    done
    [ "$out_value" != "$(setting "$out_dir" "$out_name")" ] || return 0
    if grep -qsx "$out_dir $out_name" "$state/unset" && { [ -z "$out_value" ] || [ "$out_value" = "$(postconf -d -h "$out_name")" ]; }; then
        no_parameter "$out_dir" "$out_name"
    else
        parameter "$out_dir" "$out_name" "$out_value"
    fi
}

flush_edits() { # flush_edits DIRECTORY
    [ -z "$edits" ] || (
        IFS='
'
        set -f
        # shellcheck disable=SC2086
        postconf -c "$1" -e $edits
    )
    # shellcheck disable=SC2086
    [ -z "$unsets" ] || postconf -c "$1" -X $unsets
    edits='' unsets=''
}

map_file() { # map_file NAME: $work/map becomes its content (not through a pipe, behind which changes would not be counted)
    content=$(cat "$work/map")
    [ "$(cat "$state/$1" 2>/dev/null)" != "$content" ] || return 0
    doing "write $state/$1" || return 0
    printf '%s\n' "$content" >"$state/$1.new"
    chmod 644 "$state/$1.new"
    mv "$state/$1.new" "$state/$1"
}

# ---- the maps ---------------------------------------------------------------------------------------------------------------------

class_of() { if [ "$1" = main ]; then say julia_main; else say "julia_tenant_$(printf %s "$1" | tr - _)"; fi; }
service_of() { if [ "$1" = main ]; then say julia; else say "julia-$1"; fi; }

domain_lines() { # domain_lines NAMES: "REGEX NAME" lines
    for name in $1; do
        for domain in $(domains_of "$name"); do say "$(domain_regex "$domain") $name"; done
    done
}

client_lines() { for name in $1; do printf '%s %s %s\n' "$name" "$(clients_of "$name")" "$(scanners_of "$name")"; done; }

# Whose mail it is when the sender's domain does not tell (a null sender, a forwarded letter): that of the narrowest network with
# the client in it. What several share decides nothing.
client_map() {
    client_lines "$1" | network_lines | awk '$1 != "-" { print length($1), $2, $3 }' | sort -k1,1nr -k2,2 -k3,3 | awk '
        $2 != network { if (network != "") print network, owner; network = $2; owner = $3; next }
        owner != $3 { owner = "-" }
        END { if (network != "") print network, owner }' |
        while read -r network name; do
            if [ "$name" = - ]; then say "$network DUNNO"; else say "$network FILTER $(service_of "$name"):julia"; fi
        done
}

write_maps() { # write_maps NAMES
    everyone="main $1"
    {
        say '# Whose mail is it, by domain: transports. Made by julia-tenant from the INTERNAL_DOMAINS of all tenants.'
        domain_lines "$everyone" | while read -r regex name; do say "/@$regex\$/ $(service_of "$name"):julia"; done
    } >"$work/map"
    map_file recipients.regexp
    {
        say '# For which domains mail is taken. Made by julia-tenant.'
        domain_lines "$1" | while read -r regex _; do say "/^$regex\$/ OK"; done
    } >"$work/map"
    map_file relay_domains.regexp
    {
        say '# The sender decides among the tenants that the client belongs to. Made by julia-tenant from INTERNAL_DOMAINS.'
        domain_lines "$everyone" | while read -r regex name; do say "/@$regex\$/ $(class_of "$name")"; done
    } >"$work/map"
    map_file senders.regexp
    {
        say '# Whose mail is it, by client, if the sender does not tell. Made by julia-tenant from INTERNAL_CLIENTS and SCANNER_CLIENTS.'
        client_map "$everyone"
    } >"$work/map"
    map_file clients.cidr
    {
        say '# Clients of tenants, from which mail is relayed. Made by julia-tenant.'
        client_lines "$1" | network_lines | awk '$1 != "-" { print $2, "OK" }' | sort -u
    } >"$work/map"
    map_file networks.cidr
    for name in $everyone; do
        {
            say "# Clients of $name. Made by julia-tenant."
            client_lines "$name" | network_lines | awk -v service="$(service_of "$name")" '$1 != "-" { print $2, "FILTER", service ":julia" }'
        } >"$work/map"
        map_file "clients-$name.cidr"
    done
}

# ---- main instance and queues -----------------------------------------------------------------------------------------------------

pipe_entry() { # pipe_entry SERVICE NAME CLIENT
    if [ "$2" = main ]; then pipe_user=$(mta_main_user); else pipe_user=julia-$2; fi
    pipe_group=$(id -gn "$pipe_user" 2>/dev/null || say "$pipe_user")
    say "$1 unix - n n - 10 pipe flags=q null_sender= user=$pipe_user:$pipe_group directory=/ argv=$(base_of "$2")/bin/julia -c $(conf_of "$2") -client $3 -sender \${sender} -auth \${sasl_username} -queue-id \${queue_id} -readmail \${recipient}"
}

limits() { # limits DIRECTORY SERVICE NAME
    parameter "$1" "$2_time_limit" "$(($(deadline_of "$(conf_of "$3")") + 300))s"
    parameter "$1" "$2_destination_concurrency_limit" 10
    recipients=$(conf_value "$(conf_of "$3")" MAX_RECIPIENTS)
    parameter "$1" "$2_destination_recipient_limit" "${recipients:-1000}"
}

no_limits() { # no_limits DIRECTORY SERVICE
    no_parameter "$1" "$2_time_limit"
    no_parameter "$1" "$2_destination_concurrency_limit"
    no_parameter "$1" "$2_destination_recipient_limit"
}

front_for() { # front_for NAMES
    for name in $1; do service "$front" "julia-$name" "$(pipe_entry "julia-$name" "$name" "\${client_address}")"; done
    for name in $1; do limits "$front" "julia-$name" "$name"; done
    for name in main $1; do parameter "$front" "$(class_of "$name")" "check_client_access cidr:$state/clients-$name.cidr"; done
    parameter "$front" julia_tenants "check_client_access cidr:$state/clients.cidr, check_sender_access regexp:$state/senders.regexp"
    # shellcheck disable=SC2046
    put_last "$front" smtpd_restriction_classes julia_tenants $(for name in main $1; do class_of "$name"; done)
    # First, because FILTER ends nothing but a permit before it would. Not one of the lists that submission ports usually override.
    put_first "$front" smtpd_data_restrictions julia_tenants
    put_first "$front" transport_maps "regexp:$state/recipients.regexp"
    put_first "$front" sender_dependent_default_transport_maps "regexp:$state/recipients.regexp"
    put_last "$front" relay_domains "regexp:$state/relay_domains.regexp"
    put_last "$front" mynetworks "cidr:$state/networks.cidr"
    own=$(for name in $1; do for target in $TARGETS; do ! own_queue "$name" "$target" || queue_etc "$name" "$target"; done; done)
    # shellcheck disable=SC2086
    [ -z "$own" ] || put_last "$front" multi_instance_directories $own
}

# A queue that leads outside hands mail between tenants over. Everybody who shares a queue of the main installation may hand in mail.
change_queue() { # change_queue DIRECTORY NAMES GONE
    case " $(one_line "$(queues_outside "$2")") " in *" $1 "*) outside=yes ;; *) outside=no ;; esac
    if [ $outside = yes ]; then
        for name in main $2; do service "$1" "$(service_of "$name")" "$(pipe_entry "$(service_of "$name")" "$name" "$OUTSIDER")"; done
        for name in main $2; do limits "$1" "$(service_of "$name")" "$name"; done
        put_first "$1" transport_maps "regexp:$state/recipients.regexp"
    fi
    # shellcheck disable=SC2046
    put_last "$1" authorized_submit_users $(submitters "$1" "$2")
    # shellcheck disable=SC2046
    take_out "$1" authorized_submit_users $(for name in $3; do say "julia-$name"; done)
    for name in $3; do no_limits "$1" "$(service_of "$name")"; done
    flush_edits "$1"
    for name in $3; do no_service "$1" "$(service_of "$name")"; done
}

submitters() { # submitters DIRECTORY NAMES
    for target in $TARGETS; do
        for name in $2; do [ "$(queue_etc "$name" "$target")" != "$1" ] || say "julia-$name"; done
    done | sort -u
}

all_queues() { # all_queues NAMES: of the main installation, and those that lead outside
    { for target in $TARGETS; do queue_etc main "$target"; done; queues_outside "$1"; } | sort -u
}

# ---- queues of its own: as those of the main installation, with another relay ------------------------------------------------------

make_queue() { # make_queue NAME TARGET
    etc=$(queue_folder "$1" "$2" etc) spool=$(queue_folder "$1" "$2" queue) data=$(queue_folder "$1" "$2" data)
    relay=$(relay_of "$1" "$2") transport=smtp
    case $relay in smtp:* | lmtp:* | relay:*) transport=$relay relay='' ;; esac
    if [ -f "$etc/main.cf" ]; then return 0; fi
    doing "make the queue \"$1-$2\": $etc, $spool, $data" || return 0
    owner=$(postconf -c "$front" -x -h mail_owner)
    install -d -m 755 "$spool" "$etc.new"
    install -d -m 700 -o "$owner" "$data"
    cp -p "$(queue_etc main "$2")/main.cf" "$(queue_etc main "$2")/master.cf" "$etc.new"
    # A notice made here goes to this tenant's julia, not to that of the main installation.
    say "/^Auto-Submitted: auto-(replied|generated)/ FILTER julia-notices:julia" >"$etc.new/notices.regexp"
    postconf -c "$etc.new" -M "julia-notices/unix=$(pipe_entry julia-notices "$1" 127.0.0.1)"
    edits="multi_instance_name = postfix-julia-$1-$2
queue_directory = $spool
data_directory = $data
default_transport = $transport
relayhost = $relay
authorized_submit_users = root, julia-$1
julia-notices_time_limit = $(($(deadline_of "$(conf_of "$1")") + 300))s
"
    log=$(setting "$etc.new" maillog_file)
    [ -z "$log" ] || edits="${edits}maillog_file = $(printf '%s\n' "$log" | sed "s/-$2\.log\$/-$1-$2.log/")
"
    flush_edits "$etc.new"
    mv "$etc.new" "$etc"
}

is_running() { postfix -c "$1" status >/dev/null 2>&1; }
count_mail() { postqueue -c "$1" -j 2>/dev/null | wc -l; }

remove_queue() { # remove_queue NAME TARGET
    etc=$(queue_folder "$1" "$2" etc) spool=$(queue_folder "$1" "$2" queue) data=$(queue_folder "$1" "$2" data)
    [ -f "$etc/main.cf" ] || { [ -n "$check" ] || rm -rf "$etc.new" "$data"; return 0; }
    count=$(count_mail "$etc")
    doing "remove the queue \"$1-$2\": $etc, $spool, $data" || return 0
    ! is_running "$etc" || postfix -c "$etc" stop 2>/dev/null || die 75 "queue \"$1-$2\" does not stop"
    if [ "$count" != 0 ]; then
        mv "$spool" "$spool.saved-$stamp"
        warn "the mail of queue \"$1-$2\" is kept in $spool.saved-$stamp"
    fi
    rm -rf "$etc" "$data" "$spool"
    [ -z "$root" ] || rmdir "$root/$1-$2" 2>/dev/null || :
}

# ---- in and out -----------------------------------------------------------------------------------------------------------------

leave_front() { # leave_front NAMES: what was theirs
    # shellcheck disable=SC2046
    take_out "$front" smtpd_restriction_classes $(for name in $1; do class_of "$name"; done)
    # shellcheck disable=SC2046
    take_out "$front" multi_instance_directories $(for name in $1; do for target in $TARGETS; do queue_folder "$name" "$target" etc; done; done)
    for name in $1; do
        no_parameter "$front" "$(class_of "$name")"
        no_limits "$front" "julia-$name"
    done
    flush_edits "$front"
    for name in $1; do no_service "$front" "julia-$name"; done
}

all_out() { # the last tenant leaves: everything as it was before the first came
    if was_sealed; then
        doing "put back $front/main.cf, master.cf and those of the queues as they were before the first tenant" || return 0
        first=$state/copies/$(find "$state/copies" -mindepth 1 -maxdepth 1 -name '[0-9]*' | sed 's#.*/##' | sort | head -n 1)
        for target in $TARGETS; do cp -p "$first/$target/main.cf" "$first/$target/master.cf" "$(queue_etc main "$target")"; done
        cp -p "$first/front/main.cf" "$first/front/master.cf" "$front"
    else
        put_back_by_hand "$1" || return 0
    fi
    rm -rf "$state"
}

put_back_by_hand() { # put_back_by_hand GONE
    doing "take the tenants out of $front/main.cf, master.cf and those of the queues (edited since, your changes stay)" || return 1
    take_out "$front" smtpd_data_restrictions julia_tenants
    take_out "$front" transport_maps "regexp:$state/recipients.regexp"
    take_out "$front" sender_dependent_default_transport_maps "regexp:$state/recipients.regexp"
    take_out "$front" relay_domains "regexp:$state/relay_domains.regexp"
    take_out "$front" mynetworks "cidr:$state/networks.cidr"
    take_out "$front" smtpd_restriction_classes julia_tenants julia_main
    no_parameter "$front" julia_tenants
    no_parameter "$front" julia_main
    leave_front "$1"
    external_etc=$(queue_etc main external)
    take_out "$external_etc" transport_maps "regexp:$state/recipients.regexp"
    no_limits "$external_etc" julia
    flush_edits "$external_etc"
    for directory in $(all_queues ''); do
        for name in $1; do take_out "$directory" authorized_submit_users "julia-$name"; no_limits "$directory" "julia-$name"; done
        flush_edits "$directory"
    done
    for name in $1; do no_service "$external_etc" "julia-$name"; done
    no_service "$external_etc" julia
    mv "$state/copies" "$front/julia-tenants.copies-$stamp"
    say "the files as they were: $front/julia-tenants.copies-$stamp"
}

mta_apply() { # mta_apply NAMES: these tenants, and no others
    edits='' unsets=''
    names=$(one_line "$(printf '%s\n' "$1" | tr ' ' '\n' | sort -u)")
    had=$(cat "$state/names" 2>/dev/null || :)
    [ -n "$names$had" ] || return 0
    gone=$(for name in $had; do case " $names " in *" $name "*) ;; *) printf '%s ' "$name" ;; esac; done)
    apply_pending=$pending intact=yes
    [ ! -f "$state/sealed" ] || was_sealed || intact=no
    if [ -z "$names" ]; then
        all_out "$gone"
    else
        [ -n "$check" ] || save_files
        [ -n "$check" ] || one_line "$had $names" >"$state/names" # what may have been made, should this run be cut short
        for name in $names; do for target in $TARGETS; do ! own_queue "$name" "$target" || make_queue "$name" "$target"; done; done
        write_maps "$names"
        for directory in $(all_queues "$names"); do change_queue "$directory" "$names" "$gone"; done
        front_for "$names"
        leave_front "$gone"
        [ -n "$check" ] || { say "$names" >"$state/names"; seal; }
        # Nothing was to be done: no copy either.
        [ -n "$check" ] || [ $pending != "$apply_pending" ] || rm -rf "$state/copies/$stamp"
    fi
    [ -z "$gone" ] || mta_left "$gone"
}

mta_left() { # mta_left GONE: the running Postfix forgets them, then their queues end
    for name in $1; do [ -n "$check" ] || rm -f "$state/clients-$name.cidr"; done
    [ -n "$check" ] || for directory in "$front" $(for target in $TARGETS; do queue_etc main "$target"; done); do
        ! is_running "$directory" || postfix -c "$directory" reload 2>/dev/null
    done
    for name in $1; do for target in $TARGETS; do remove_queue "$name" "$target"; done; done
}

# How many in the main instance: for or from one of its domains, or given to it because its client sent them.
waiting_in_front() { # waiting_in_front NAME PATTERN
    postqueue -c "$front" -j 2>/dev/null | while read -r line; do
        id=$(printf '%s\n' "$line" | sed 's/.*"queue_id": "\([^"]*\)".*/\1/')
        if printf '%s\n' "$line" | grep -Eiq -- "$2" || postcat -c "$front" -e -q "$id" 2>/dev/null | grep -q "^content_filter: julia-$1:"; then
            say "$id"
        fi
    done | wc -l
}

mta_waiting() { # mta_waiting NAME: where mail of this tenant waits
    [ -n "$(domains_of "$1")" ] || return 0 # it was never completed
    pattern=$(for domain in $(domains_of "$1"); do printf '|@%s"' "$(domain_regex "$domain")"; done | cut -c 2-)
    for target in $TARGETS; do
        etc=$(queue_etc "$1" "$target")
        if own_queue "$1" "$target"; then
            [ -f "$etc/main.cf" ] || continue
            count=$(count_mail "$etc")
        else
            count=$(postqueue -c "$etc" -j 2>/dev/null | grep -Eic -- "$pattern" || :)
        fi
        [ "$count" = 0 ] || printf '%s (%s) ' "$target" "$count"
    done
    count=$(waiting_in_front "$1" "$pattern")
    [ "$count" = 0 ] || printf 'main instance (%s) ' "$count"
}

mta_activate() {
    queues=$(for name in $(tenants); do for target in $TARGETS; do ! own_queue "$name" "$target" || queue_etc "$name" "$target"; done; done)
    if [ -d /run/systemd/system ]; then
        say 'now type: systemctl daemon-reload && systemctl restart postfix'
    elif [ $start = no ]; then
        say "now type: $(if is_running "$front"; then say 'postfix reload && '; fi)postfix start"
    else
        # shellcheck disable=SC2086
        for directory in $(for target in $TARGETS; do queue_etc main "$target"; done) $queues "$front"; do
            if is_running "$directory"; then postfix -c "$directory" reload; else postfix -c "$directory" start; fi
        done
    fi
}
