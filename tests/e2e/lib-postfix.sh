# The Postfix part of lib.sh: the front instance is /etc/postfix (private), the three queues come from julia-postfix-setup.
#
# What both parts define: mta_missing, mta_base, mta_front, world_setup, world_age, mta_start, mta_stop, submit_mail, queue_ids, waiting,
# flush_mail, drop_mail, log_why, mta_recipients, mta_lifetime.

# shellcheck shell=bash
LOG_NOTICE='julia-notices/smtpd.*client=' # the front instance got a notice of a queue

mta_missing() { command -v postfix >/dev/null || echo 'Postfix is not installed'; }

mta_base() { # the lines of julia.conf
    local target
    for target in external scanner internal; do
        echo "TARGET_${target^^} = /usr/sbin/sendmail -C $WORLD/queues/$target/etc -G"
    done
}

# The front instance as an administrator might have it before julia comes: a relay between inside and outside.
_front_main() {
    cat <<END
# Main instance of the test
compatibility_level = 3.6
queue_directory = $WORLD/front/queue
data_directory = $WORLD/front/data
maillog_file = $WORLD/log/front.log
maillog_file_prefixes = $WORLD
myhostname = gate.behoerde.de
mydestination =
local_recipient_maps =
local_transport = error:5.1.1 no local delivery here
alias_maps =
alias_database =
inet_interfaces = loopback-only
inet_protocols = $([ $WORLD_IPV6 = yes ] && echo all || echo ipv4)
mynetworks = 127.0.0.0/8 [::1]/128 10.1.0.0/16 10.2.0.0/16 [fd00:1::]/32
relay_domains = behoerde.de
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
message_size_limit = 409600000
append_at_myorigin = no
append_dot_mydomain = no
remote_header_rewrite_domain =
biff = no
END
}

_front_master() {
    echo '# Main instance of the test'
    echo '127.0.0.1:25 inet n - n - - smtpd'
    [ $WORLD_IPV6 = no ] || echo '[::1]:25 inet n - n - - smtpd'
    cat <<'END'
pickup    unix  n - n 60    1 pickup
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
smtp      unix  - - n -     - smtp
relay     unix  - - n -     - smtp
showq     unix  n - n -     - showq
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
anvil     unix  - - n -     1 anvil
scache    unix  - - n -     1 scache
postlog   unix-dgram n - n - 1 postlogd
END
}

mta_front() {
    mkdir -p "$WORLD"/front/{queue,data} "$WORLD/log" "$WORLD/etc-postfix"
    chown postfix: "$WORLD/front/data"
    cp -a /etc/postfix/. "$WORLD/etc-postfix"
    rm -rf "$WORLD/etc-postfix/julia-postfix-setup.d"
    _front_main >"$WORLD/etc-postfix/main.cf"
    _front_master >"$WORLD/etc-postfix/master.cf"
    _bind "$WORLD/etc-postfix" /etc/postfix
    world_age
}

world_setup() { # the set-up script with the addresses of this world, and further options
    "$SOURCE/contrib/postfix/julia-postfix-setup" -u $WORLD_USER -b "$WORLD/base" -r "$WORLD/queues" \
        -e '[127.0.0.1]:2550' -s '[127.0.0.1]:2530' -i '[127.0.0.1]:2540' "$@"
}

# Every Postfix program waits until main.cf is two seconds old. This makes it so.
world_age() { find /etc/postfix/ "$WORLD/queues" -maxdepth 3 -name 'm*.cf' -exec touch -d '1 minute ago' {} + 2>/dev/null; }

mta_start() { postfix start 2>"$WORLD/log/start.log" || { diag "$(cat "$WORLD/log/start.log")"; return 1; }; }

mta_stop() {
    local instance
    for instance in external scanner internal; do
        [ ! -f "$WORLD/queues/$instance/etc/main.cf" ] || postfix -c "$WORLD/queues/$instance/etc" stop 2>/dev/null
    done
    postfix -c /etc/postfix stop 2>/dev/null
}

mta_recipients() { # mta_recipients N: no more than N recipients in one call of julia
    postconf -e julia_destination_recipient_limit="$1"
    world_age
    postfix reload 2>/dev/null
}

mta_lifetime() { # mta_lifetime INSTANCE TIME: how long mail may wait there, before it is returned
    postconf -c "$(_instance "$1")" -e maximal_queue_lifetime="$2" bounce_queue_lifetime="$2"
    world_age
    postfix -c "$(_instance "$1")" reload 2>/dev/null
}

submit_mail() { # submit_mail SENDER RCPT[,RCPT...] FILE
    local recipients
    IFS=, read -ra recipients <<<"$2"
    sendmail -i -f "$1" -- "${recipients[@]}" <"$3"
}

_instance() { if [ "$1" = front ]; then echo /etc/postfix; else echo "$WORLD/queues/$1/etc"; fi; }

queue_ids() { # queue_ids INSTANCE
    postqueue -c "$(_instance "$1")" -j 2>/dev/null | sed 's/.*"queue_id": "\([^"]*\)".*/\1/'
}

waiting() { # waiting INSTANCE
    postqueue -c "$(_instance "$1")" -j 2>/dev/null | grep -o '"address": "[^"]*"' | cut -d'"' -f4
}

flush_mail() {
    local instance
    for instance in front external scanner internal; do postqueue -c "$(_instance $instance)" -f; done
}

drop_mail() { postsuper -c "$(_instance "$1")" -d ALL 2>/dev/null; }

# Postfix takes over what julia says.
log_why() { grep -E "$DEFERRED" "$(log_of front)" | tail -n "${1-1}"; }
