# What scripts know of Sendmail 8. Sourced by julia-sendmail-setup and julia-tenant, together with say.sh.
# shellcheck shell=sh

option_of() { sed -n "s/^O $1=//p" "$2" 2>/dev/null | tail -n 1; } # option_of NAME FILE: the last one wins
settings_of() { grep -v '^[[:space:]]*#' "$1" | grep -v '^[[:space:]]*$'; } # settings_of FILE: without comments

# [host]:port, [host], host:port, host -> "host port" in Sendmail's words
split_relay() { # split_relay RELAY: sets host and number
    host=$1 number=25
    case $host in
    *]:*) number=${host##*]:} host=${host%:*} ;;
    \[*\]) ;;
    *:*) number=${host##*:} host=${host%:*} ;;
    esac
    case $number in '' | *[!0-9]*) die 2 "\"$1\": what stands behind the last colon is not a port number" ;; esac
    case $host in
    '[localhost]' | localhost | '[127.1]') host='[127.0.0.1]' ;;
    \[IPv6:*\]) ;;
    \[*:*\]) host="[IPv6:${host#[}" ;;
    \[*\]) ;;
    '' | *[\[\]:@/]*) die 2 "\"$1\" is not a relay: [host]:port, [host], host:port or host is wanted" ;;
    esac
}

# ---- processes and queues -----------------------------------------------------------------------------------------------

pid_in() { # pid_in FILE: the process that wrote it, if it still runs
    [ -s "$1" ] || return 0
    pid=$(head -n 1 "$1")
    case $(cat "/proc/$pid/comm" 2>/dev/null) in *sendmail*) echo "$pid" ;; esac
}

wait_gone() { # wait_gone PID
    tries=100
    while [ -d "/proc/$1" ] && [ $tries -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.1
    done
    [ ! -d "/proc/$1" ]
}

stop_pid() { # stop_pid PID WHAT
    [ -n "$1" ] || return 0
    kill "$1" 2>/dev/null || :
    wait_gone "$1" || die 75 "$2 does not stop (process $1)"
}

count_mail() { find "$1" -type f -name '[dhq]f*' 2>/dev/null | wc -l; } # count_mail FOLDER: files of mail in it
