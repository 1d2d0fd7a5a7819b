# What julia-postfix-setup and julia-sendmail-setup have in common. Read together with say.sh; "base", "conf", "user", "external",
# "scanner" and "internal" are what their options say.
# shellcheck shell=sh

check_characters() { # check_characters WORD...: nothing that a configuration, m4 or the shell would read differently
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:@\[\]-]*) die 2 "\"$word\": only letters, digits and _ . / : @ [ ] - can be used here" ;;
        esac
    done
}

check_absolute() { # check_absolute PATH...: empty ones are absent
    for path in "$@"; do
        case $path in
        '' | /*) ;;
        *) die 2 "$path: an absolute path is needed" ;;
        esac
    done
}

check_user_exists() {
    id "$user" >/dev/null 2>&1 ||
        die 2 "there is no user $user; make it: useradd --system --user-group --no-create-home --home-dir $base/var --shell /usr/sbin/nologin $user"
}

check_relays() { # check_relays OPTIONS-FILE
    [ -n "$external" ] || die 2 "which external relay? (-e [host]:port; $1 names none either)"
    [ -n "$internal" ] || die 2 "which internal relay? (-i [host]:port; $1 names none either)"
}

relay_of() { case $1 in external) echo "$external" ;; scanner) echo "$scanner" ;; internal) echo "$internal" ;; esac; }

as_user() { setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"; }

hint_access() {
    for directory in var/spool var/journal var/hold logs; do
        [ ! -d "$base/$directory" ] || as_user test -w "$base/$directory" ||
            warn "note: $user cannot write $base/$directory: chown -R $user: $base/var $base/logs"
    done
    as_user test -x "$base/bin/julia" || warn "note: $user cannot run $base/bin/julia"
    as_user test -r "$conf" || warn "note: $user cannot read $conf"
}
