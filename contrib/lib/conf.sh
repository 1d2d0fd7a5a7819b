# julia.conf(5) as scripts read it. Sourced by mailq-all, julia-postfix-setup, julia-sendmail-setup and julia-tenant.
# shellcheck shell=sh

# The value of NAME: continuation lines joined, comments cut ('#' with blanks or an end of the line on both sides). Nothing where it is
# not set, or the file cannot be read.
conf_value() { # conf_value FILE NAME
    [ -r "$1" ] || return 0
    LC_ALL=C awk -v name="$2" '
        NR == 1 { sub(/^\357\273\277/, "") }
        { sub(/\r$/, "") }
        /^[ \t]*(#|$)/ { next }
        { sub(/[ \t]#([ \t].*)?$/, "") }
        /^[ \t]/ { if (mine) { sub(/^[ \t]+/, " "); value = value $0 } next }
        { mine = 0; at = index($0, "=") }
        at { key = substr($0, 1, at - 1); gsub(/[ \t]/, "", key); if (key == name) { mine = 1; value = substr($0, at + 1) } }
        END { gsub(/^[ \t]+|[ \t]+$/, "", value); print value }' "$1"
}

# 90s 10m 2h 1d, or seconds: in seconds. Status 1: it is no duration.
duration() { # duration TEXT
    number=${1%[smhd]}
    case $number in '' | *[!0-9]*) return 1 ;; esac
    case $1 in
    *m) echo $((number * 60)) ;;
    *h) echo $((number * 3600)) ;;
    *d) echo $((number * 86400)) ;;
    *) echo "$number" ;;
    esac
}

# DEADLINE in seconds. The MTA must wait longer, for it returns what takes too long.
deadline_of() { # deadline_of FILE
    duration "$(conf_value "$1" DEADLINE)" || echo 900 # its default
}

target_name() { echo "TARGET_$(echo "$1" | tr '[:lower:]' '[:upper:]')"; } # target_name TARGET: of the parameter

# The words of a target's sendmail command. julia has a default for Postfix only; without one, nothing.
target_command() { # target_command FILE TARGET
    command_words=$(conf_value "$1" "$(target_name "$2")")
    [ -n "$command_words" ] || [ "$(conf_value "$1" MTA)" = sendmail ] || command_words="/usr/sbin/sendmail -C /etc/postfix-julia-$2 -G"
    echo "$command_words"
}

# What "-C DIRECTORY" or "-CFILE" names in a command; nothing if it names none.
configuration_in() { # configuration_in COMMAND
    printf '%s\n' "$1" |
        awk '{ for (i = 2; i <= NF; i++) { if ($i == "-C") { print $(i + 1); exit } if ($i ~ /^-C./) { print substr($i, 3); exit } } }'
}
