# How programs speak, and say what they do. PROGRAM is their name.
# shellcheck shell=sh

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }
die() { # die STATUS TEXT
    status=$1
    shift
    warn "$*"
    exit "$status"
}

# For programs that can be asked what they would do: "check" is not empty then, "pending" counts.
doing() { # doing TEXT: true when it shall be done
    pending=$((pending + 1))
    if [ -n "$check" ]; then
        say "would $*"
        return 1
    fi
    say "$*"
}
