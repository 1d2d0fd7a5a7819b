# A tenant's users, folders, configuration and systemd units. Sourced by julia-tenant.
#
# bin and lib are links to the main installation: one "make install" there renews the programs of all tenants. (A tenant that
# must keep its version gets a copy in the place of the link.) Everything else is its own and closed to all others: the base itself
# can be entered by its group only, and nobody is in that group but the tenant's own users.
# shellcheck shell=sh

MODULES='keys trust smime' # the last part of the users' names

as_user() { # as_user USER COMMAND...
    as=$1
    shift
    setpriv --reuid="$as" --regid="$(id -g "$as")" --clear-groups "$@"
}

# ---- users --------------------------------------------------------------------------------------------------------------

users_of() { # users_of NAME SERVICES
    printf 'julia-%s' "$1"
    [ "$2" = no ] || for module in $MODULES; do printf ' julia-%s-%s' "$1" "$module"; done
    echo
}

check_users() {
    for name in $(users_of "$adding" $services); do
        ! id "$name" >/dev/null 2>&1 || die 2 "there is a user $name already, which this program did not make; choose another name for the tenant"
    done
    ! getent group "julia-$adding" >/dev/null || die 2 "there is a group julia-$adding already, which this program did not make"
    command -v useradd >/dev/null || die 2 'useradd(8) is missing (package passwd)'
}

make_users() {
    for name in $(users_of "$adding" "$services"); do
        if id "$name" >/dev/null 2>&1; then continue; fi
        doing "make the user $name" || continue
        if [ "$name" = "$user" ]; then
            useradd --system --user-group --no-create-home --home-dir "$base" --shell /usr/sbin/nologin "$name"
        else
            useradd --system --gid "$user" --no-create-home --home-dir "$base" --shell /usr/sbin/nologin "$name"
        fi || die 75 "the user $name could not be made"
    done
    key_user=$user trust_user=$user
    [ "$services" = no ] || key_user=$user-keys trust_user=$user-trust
}

remove_users() { # remove_users NAME
    for name in $(users_of "$1" yes | tr ' ' '\n' | tac); do
        id "$name" >/dev/null 2>&1 || continue
        doing "remove the user $name" || continue
        userdel "$name" || warn "note: the user $name stays; remove it when its processes have ended"
    done
    ! getent group "julia-$1" >/dev/null || [ -n "$check" ] || groupdel "julia-$1" || warn "note: the group julia-$1 stays"
}

# ---- folders and configuration ---------------------------------------------------------------------------------------------

shipped() { # shipped FILE: as it came with the programs
    if [ -f "$main/etc/$1.dist" ]; then say "$main/etc/$1.dist"; else say "$main/etc/$1"; fi
}

configure() { # configure FOLDER: julia.conf and the files of modules
    for file in "$main"/etc/*.conf; do
        file=${file##*/}
        cp "$(shipped "$file")" "$1/$file"
    done
    sed 's/^\([^#]\)/# \1/' "$(shipped julia.rules)" >"$1/julia.rules"
    cp -R "$main/etc/templates" "$1/templates"
    find "$1" -name '*.dist' -exec rm {} +
    set_conf "$1/julia.conf" BASE "$base"
    set_conf "$1/julia.conf" ADMIN "$admin"
    set_conf "$1/julia.conf" INTERNAL_DOMAINS "$domains"
    set_conf "$1/julia.conf" INTERNAL_CLIENTS "$clients"
    [ -z "$scanners" ] || set_conf "$1/julia.conf" SCANNER_CLIENTS "$scanners"
    # Programs on this host are the operator's, not the tenant's: nobody can tell for whom they speak.
    set_conf "$1/julia.conf" LOCAL_SUBMISSION refuse
    for name in MYHOSTNAME AUTHSERV_ID LANGUAGE MTA_CONFIG; do
        value=$(conf_value "$main_conf" $name)
        [ -z "$value" ] || set_conf "$1/julia.conf" $name "$value"
    done
    set_conf "$1/julia.conf" MTA "$mta"
    for target in external scanner internal; do
        set_conf "$1/julia.conf" "TARGET_$(printf %s $target | tr '[:lower:]' '[:upper:]')" "$(mta_target "$adding" $target)"
    done
    [ "$services" = no ] || configure_services "$1"
}

configure_services() { # configure_services FOLDER
    set_conf "$1/julia.conf" MODULES_KEYS "unix:$base/var/run/keys-file"
    set_conf "$1/julia.conf" MODULE_TRUST "unix:$base/var/run/trust"
    set_conf "$1/julia.conf" MODULE_SMIME "unix:$base/var/run/smime"
    set_conf "$1/keys-file.conf" CORE_USER "$user"
    set_conf "$1/keys-file.conf" INDEX var/index/keys-file/index.sqlite
    set_conf "$1/trust.conf" INDEX var/index/trust/index.sqlite
}

folder() { install -d -m "$1" -o "$2" -g "$user" "$3"; } # folder MODE OWNER PATH

make_folders() { # make_folders TREE
    folder 750 root "$1"
    folder 750 root "$1/etc"
    for name in ca trusted untrusted; do folder 750 root "$1/etc/$name"; done
    folder 750 "$key_user" "$1/etc/public"
    folder 700 "$key_user" "$1/etc/private"
    # julia keeps the key of its hashed names in var itself
    folder 750 "$user" "$1/var"
    for name in spool journal hold; do folder 700 "$user" "$1/var/$name"; done
    folder 750 "$user" "$1/var/run"
    for name in review capabilities; do folder 700 "$key_user" "$1/var/$name"; done
    if [ "$services" = no ]; then
        folder 700 "$user" "$1/var/index"
    else
        folder 750 root "$1/var/index"
        folder 700 "$key_user" "$1/var/index/keys-file"
        folder 700 "$trust_user" "$1/var/index/trust"
    fi
    folder 700 "$user" "$1/logs"
}

close_files() { # close_files TREE: what lies in etc, wherever it was copied from
    chown -R "root:$user" "$1"/etc
    chown -R "$key_user:$user" "$1"/etc/public "$1"/etc/private
    chmod -R u=rwX,g=rX,o= "$1"/etc
    chmod -R g= "$1"/etc/private
}

link_programs() { # link_programs TREE
    for name in bin lib; do [ -e "$1/$name" ] || ln -s "$main/$name" "$1/$name"; done
}

# Made under another name first: a base that exists is complete.
make_tree() {
    [ ! -d "$base" ] || return 0
    doing "make $base" || return 0
    rm -rf "$base.new"
    make_folders "$base.new"
    configure "$base.new/etc"
    close_files "$base.new"
    link_programs "$base.new"
    mv "$base.new" "$base"
}

# Of a base that was restored from its etc alone.
complete_tree() {
    [ -d "$base/etc" ] || die 2 "$base/etc is missing: put it back from where it was saved, or remove the tenant"
    if [ -d "$base/var/journal" ] && [ -e "$base/bin" ] && [ -e "$base/lib" ]; then return 0; fi
    doing "make what is missing in $base" || return 0
    make_folders "$base"
    close_files "$base"
    link_programs "$base"
}

remove_tree() { # remove_tree NAME
    rm -rf "$base.new"
    [ -d "$base" ] || return 0
    if [ $purge = yes ]; then
        doing "remove $base with all keys" || return 0
        rm -rf "$base"
        return 0
    fi
    aside=$base.removed-$stamp
    doing "remove $base; keep its etc and logs in $aside" || return 0
    install -d -m 700 -o root -g root "$aside"
    for name in etc logs; do
        [ ! -d "$base/$name" ] || mv "$base/$name" "$aside/$name"
    done
    # The users end with the tenant; others may get their numbers.
    chown -R root:root "$aside"
    rm -rf "$base"
}

# ---- systemd ----------------------------------------------------------------------------------------------------------------

UNITS=/etc/systemd/system

SERVICES='keys-file trust smime'

units_of() { for module in $SERVICES; do printf 'julia-%s-%s.socket ' "$1" $module; done; }

unit_for_tenant() { # a unit of the main installation, for this tenant; the core's user owns the sockets, for the group is everybody's
    sed -e "s#$main\([ /]\)#$base\1#g" -e "s#$main\$#$base#" -e "s/julia-\(keys-file\|trust\|smime\)\.\(socket\|service\)/julia-$adding-\1.\2/g" \
        -e "s/^Description=julia:/Description=julia, $adding:/" -e "s/^SocketUser=.*/SocketUser=$user/" -e "s/^SocketMode=.*/SocketMode=0600/" \
        -e "s/^User=julia-/User=$user-/" -e "s/^\(Group\|SocketGroup\)=.*/\1=$user/"
}

make_units() {
    [ -d "$main/share/systemd" ] || die 2 "$main/share/systemd is missing: install julia anew"
    for part in $(for module in $SERVICES; do printf '%s ' "$module.socket" "$module.service"; done); do
        file=$main/share/systemd/julia-$part unit=$UNITS/julia-$adding-$part
        ! unit_for_tenant <"$file" | cmp -s - "$unit" || continue
        doing "write $unit" || continue
        mkdir -p $UNITS
        unit_for_tenant <"$file" >"$unit.new"
        chmod 644 "$unit.new"
        mv "$unit.new" "$unit"
    done
}

remove_units() { # remove_units NAME
    found=''
    for module in $SERVICES; do
        for unit in "$UNITS/julia-$1-$module.socket" "$UNITS/julia-$1-$module.service"; do
            [ ! -f "$unit" ] || found="$found $unit"
        done
    done
    [ -n "$found" ] || return 0
    doing "remove$found" || return 0
    # shellcheck disable=SC2046,SC2086
    if [ -d /run/systemd/system ]; then systemctl disable --now $(printf '%s\n' $found | sed 's#.*/##') || :; fi
    # shellcheck disable=SC2086
    rm -f $found
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
}
