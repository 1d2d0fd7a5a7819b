# The Sendmail part of lib.sh: Debian's Sendmail, unpacked (never installed) by tests/tools/fetch-sendmail; front instance and
# queues come from julia-sendmail-setup.
#
# /usr/sbin/sendmail is a wrapper that gives each configuration a log file of its own: Sendmail knows only syslog.

# shellcheck shell=bash
LOG_NOTICE='from=<>, .*relay=\[127\.0\.0\.1\]' # the front instance got a notice of a queue

SENDMAIL_TREE=$BUILD/tests/sendmail
SETUP=${SETUP-$SOURCE/contrib/sendmail/julia-sendmail-setup}

mta_missing() { "$SOURCE/tests/tools/fetch-sendmail" "$SENDMAIL_TREE" 2>&1 >/dev/null; }

_cf() { if [ "$1" = front ]; then echo "$WORLD/mail/sendmail.cf"; else echo "$WORLD/mail/julia/$1.cf"; fi; }

mta_base() { # the lines of julia.conf
    local target
    echo 'MTA = sendmail'
    echo "MTA_CONFIG = $(_cf front)"
    for target in external scanner internal; do echo "TARGET_${target^^} = /usr/sbin/sendmail -L julia-$target -C$(_cf $target)"; done
}

_sendmail_wrapper() {
    cat <<WRAPPER
#!/bin/bash
case "\$*" in
*julia/external.cf*) log=front-julia-external ;;
*julia/scanner.cf*) log=front-julia-scanner ;;
*julia/internal.cf*) log=front-julia-internal ;;
*) log=front ;;
esac
export SYSLOG_FILE=$WORLD/log/\$log.log LD_PRELOAD=$WORLD/sendmail/syslog-file.so
exec -a "\$0" $WORLD/sendmail/root/usr/libexec/sendmail/sendmail "\$@"
WRAPPER
}

mta_front() {
    local log
    mkdir -p "$WORLD/log" "$WORLD/mail/julia"
    printf 'hosts files\naliases files\npasswd files\n' >"$WORLD/mail/service.switch"
    cat >"$WORLD/mail/julia/gateway.local.m4" <<END
dnl There is no DNS; nobody here reads what postmaster gets; the load of this machine does not matter; and Sendmail trusts no file
dnl of domains below /tmp.
define(\`confSERVICE_SWITCH_FILE', \`$WORLD/mail/service.switch')dnl
FEATURE(\`accept_unresolvable_domains')dnl
define(\`confDOUBLE_BOUNCE_ADDRESS', \`')dnl
define(\`confQUEUE_LA', \`1000')dnl
define(\`confREFUSE_LA', \`1000')dnl
RELAY_DOMAIN(\`behoerde.de 10.1 10.2 IPv6:fd00:1')dnl
END
    # a copy, because the build may lie where other users cannot go
    cp -R "$SENDMAIL_TREE" "$WORLD/sendmail"
    for log in front front-julia-external front-julia-scanner front-julia-internal; do
        : >"$WORLD/log/$log.log"
        chmod 666 "$WORLD/log/$log.log"
    done
    _sendmail_wrapper >"$WORLD/sendmail-wrapper"
    chmod 755 "$WORLD/sendmail-wrapper"
    _bind "$WORLD/sendmail-wrapper" /usr/sbin/sendmail
}

world_setup() { # the set-up script with the addresses of this world, and further options
    "$SETUP" --new --etc "$WORLD/mail" --cf "$WORLD/sendmail/cf" -u $WORLD_USER -b "$WORLD/base" -r "$WORLD/queues" \
        -e '[127.0.0.1]:2550' -s '[127.0.0.1]:2530' -i '[127.0.0.1]:2540' "$@"
}

world_age() { :; }

mta_start() { world_setup --start >"$WORLD/log/start.log" 2>&1 || { diag "$(cat "$WORLD/log/start.log")"; return 1; }; }
mta_stop() { world_setup --stop >"$WORLD/log/stop.log" 2>&1 || diag "$(cat "$WORLD/log/stop.log")"; }

mta_recipients() { # mta_recipients N: no more than N recipients in one call of julia
    local pid
    pid=$(head -n 1 "$WORLD/mail/sendmail.pid")
    sed -i "/^Mjulia/,/A=/s/ r=[0-9]*,/ r=$1,/" "$(_cf front)"
    kill "$pid"
    wait_until 30 _gone "$pid"
    sendmail -L sm-mta -C"$(_cf front)" -bd -q10m
    wait_until 30 _listens 25
}

mta_lifetime() { # mta_lifetime INSTANCE TIME: how long mail may wait there, before it is returned
    sed -i "s/^O Timeout.queuereturn=.*/O Timeout.queuereturn=$2/" "$WORLD/mail/julia/$1.local"
    "$SETUP" --start -b "$WORLD/base" --etc "$WORLD/mail" >"$WORLD/log/lifetime.log" 2>&1 || diag "$(cat "$WORLD/log/lifetime.log")"
}

_gone() { ! kill -0 "$1" 2>/dev/null; }

submit_mail() { # submit_mail SENDER RCPT[,RCPT...] FILE
    local recipients
    IFS=, read -ra recipients <<<"$2"
    sendmail -C "$(_cf front)" -i -f "$1" -- "${recipients[@]}" <"$3"
}

_queue_directory() { sed -n 's/^O QueueDirectory=//p' "$(_cf "$1")"; }

queue_ids() { # queue_ids INSTANCE
    find "$(_queue_directory "$1")" -name 'qf*' -printf '%f\n' | sed 's/^qf//'
}

waiting() { # waiting INSTANCE
    find "$(_queue_directory "$1")" -name 'qf*' -exec sed -n 's/^R[^:]*:<\{0,1\}\([^>]*\)>\{0,1\}$/\1/p' {} + 2>/dev/null
}

flush_mail() {
    local instance
    for instance in external scanner internal front; do sendmail -C "$(_cf $instance)" -q; done
}

drop_mail() { find "$(_queue_directory "$1")" -type f -delete; }

# Sendmail looks at the exit status only: what julia said stands in julia.log, or, as long as it has no configuration, in syslog.
log_why() {
    grep 'event=message ' "$WORLD/base/logs/julia.log" | tail -n "${1-1}" | sed 's/\\x20/ /g' | grep . ||
        run_as "$WORLD/base/bin/julia" -c "$WORLD_CONF" -check | grep FAULT
}
