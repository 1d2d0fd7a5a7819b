#!/bin/bash
# README.md from "Install" to "Watch it", typed by root as it is printed, on a machine with a Postfix that relays between inside and
# outside and knows nothing of julia. Then a letter in each direction. /etc, /opt, /var/lib and /var/spool are private copies.
set -u
E2E=$(cd "$(dirname "$0")" && pwd)
SOURCE=${JULIA_SOURCE:-$(cd "$E2E/../.." && pwd)}
BUILD=${JULIA_BUILD:-$SOURCE/build/release}
# shellcheck source=tests/e2e/tap.sh
. "$E2E/tap.sh"
if [ -z "${JULIA_IN_WORLD-}" ]; then
    [ "$(id -u)" = 0 ] || skip_all 'needs root'
    for program in useradd postfix make; do command -v $program >/dev/null || skip_all "$program is not installed"; done
    # In a chroot "/" is no mount point whose propagation could be changed.
    for private in '-m' '-m --propagation unchanged'; do
        # shellcheck disable=SC2086
        ! unshare $private -n -u -p -f --mount-proc true 2>/dev/null ||
            exec unshare $private -n -u -p -f --mount-proc --kill-child env JULIA_IN_WORLD=yes bash "$0" "$@"
    done
    skip_all 'unshare is not permitted here'
fi
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset MAKEFLAGS MAKELEVEL MAIL_CONFIG
umask 022

W=$(mktemp -d "${TMPDIR:-/tmp}/julia-readme.XXXXXX")
chmod 755 "$W"
trap 'postfix stop 2>/dev/null; cd / && umount -l /etc /opt /var/spool /var/lib && rm -rf "$W"' EXIT
mkdir -p "$W"/{etc,opt,spool/postfix,lib/postfix,log,external,internal}
cp -a /etc/. "$W/etc"
for place in etc:/etc opt:/opt spool:/var/spool lib:/var/lib; do mount --bind "$W/${place%%:*}" "${place#*:}"; done
chown postfix /var/lib/postfix
hostname gate.behoerde.de
ip link set lo up
for address in 10.1.0.7/32 203.0.113.9/32; do ip addr add $address dev lo; done
printf '127.0.0.1 localhost gate.behoerde.de\n127.0.0.2 relay.behoerde.de\n127.0.0.3 mail.behoerde.de\n' >/etc/hosts
python3 "$E2E/smtp-sink.py" 127.0.0.2 25 "$W/external" 2>>"$W/log/sinks" &
python3 "$E2E/smtp-sink.py" 127.0.0.3 25 "$W/internal" 2>>"$W/log/sinks" &

# The Postfix that is there: mail for behoerde.de to one side, mail of 10.1.0.0/16 to the other.
cat >/etc/postfix/main.cf <<END
compatibility_level = 3.6
myhostname = gate.behoerde.de
mydestination =
local_recipient_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
relay_domains = behoerde.de
mynetworks = 127.0.0.0/8 10.1.0.0/16
smtp_host_lookup = native
smtp_dns_support_level = disabled
maillog_file = $W/log/mail.log
maillog_file_prefixes = $W
END
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
touch -d '1 minute ago' /etc/postfix/*.cf
postconf -M postlog/unix-dgram='postlog unix-dgram n - n - 1 postlogd'

# The commands (indented lines) of README.md between two lines of it, and the run of some.
commands() { sed -n "/$1/,/$2/s/^    //p" "$SOURCE/README.md"; }
typed() { (cd "${FOLDER-$SOURCE}" && sh -eux) >"$W/out" 2>&1; }
passed() { ok "$1" "$2" || diag "$(tail -n 20 "$W/out")"; }
wait_for() { # wait_for FILE
    for _ in $(seq 600); do [ ! -e "$1" ] || return 0; sleep 0.1; done
    diag "$(tail -n 20 "$W/log/mail.log" /opt/julia/logs/julia.log)"
    return 1
}

make -s -C "$SOURCE" -o programs install B="$BUILD" >"$W/out" 2>&1
passed $? 'make install'
commands '^## Install' '^## Tell' | grep -v -e '^\./bootstrap' -e '^make' | typed
passed $? 'Install: the user'
P=$W/pki
if [ -n "$(find "$BUILD/tests/pki" -maxdepth 1 -name crl.pem -mtime -1 2>/dev/null)" ]; then cp -R "$BUILD/tests/pki" "$P"; else sh "$E2E/pki.sh" "$P" >/dev/null 2>&1; fi
commands '^Edit' '^Copy certificates' >>/opt/julia/etc/julia.conf
cp "$P/ca.crt" "$P/crl.pem" /opt/julia/etc/ca
openssl pkcs12 -export -in "$P/mail.crt" -inkey "$P/mail.key" -passout pass: -out "$W/mail.p12"
cp "$P/anna.crt" "$W/partner.pem"
commands '^which julia may not' '^Keys under' | FOLDER=$W typed
passed $? 'Tell it who you are: keys and certificates'
commands '^Write the rules' '^Try them' >/opt/julia/etc/julia.rules
commands '^Try them' '^## Put' | grep julia-rules | typed
passed $? 'Try them: the rules'
commands '^Try them' '^## Put' | grep -e -check | sh >"$W/out" 2>&1
is "$(grep -c -v '^FAULT target' <(grep '^FAULT' "$W/out"))" 0 'Try them: -check misses nothing but the targets' || diag "$(cat "$W/out")"
commands '^## Put' '^## Or' >"$W/put"
sh <(head -n 1 "$W/put") >"$W/out" 2>&1
is "$? $(grep -v '^would ' "$W/out")" '1 ' 'Put it into your Postfix: -n only shows' || diag "$(cat "$W/out")"
tail -n +2 "$W/put" | typed
passed $? 'Put it into your Postfix'
is "$(grep -c '^julia-postfix-setup: note' "$W/out")" 0 '... and nothing is left to do' || diag "$(cat "$W/out")"
touch -d '1 minute ago' /etc/postfix*/*.cf # Postfix programs are careful with files of the last two seconds
postfix start 2>"$W/out"
passed $? '... but to start it, as it says'
/opt/julia/bin/julia -c /opt/julia/etc/julia.conf -check >"$W/out" 2>&1
passed $? 'now -check finds nothing'

for _ in $(seq 300); do (exec 3<>/dev/tcp/127.0.0.1/25) 2>/dev/null && break; sleep 0.1; done
printf 'From: user_2@behoerde.de\nTo: anna@partner-1.com\nSubject: t\n\nHello\n' >"$W/letter"
python3 "$E2E/smtp-send.py" --from-address 10.1.0.7 -- user_2@behoerde.de anna@partner-1.com "$W/letter" >"$W/out"
wait_for "$W/external/0001.eml"
openssl cms -decrypt -in "$W/external/0001.eml" -recip "$P/anna.crt" -inkey "$P/anna.key" 2>"$W/out" | openssl cms -verify -CAfile "$P/ca.crt" 2>>"$W/out" | grep -q '^Hello'
passed $? 'a letter leaves signed and encrypted'
openssl cms -encrypt -aes-256-gcm -in "$W/letter" -from anna@partner-1.com -to mail@behoerde.de -subject x "$P/mail.crt" >"$W/secret"
python3 "$E2E/smtp-send.py" --from-address 203.0.113.9 -- anna@partner-1.com mail@behoerde.de "$W/secret" >"$W/out"
wait_for "$W/internal/0001.eml"
is "$(tr -d '\r' <"$W/internal/0001.eml" | grep -c -e '^X-JULIA-Encryption: decrypted' -e '^Hello')" 2 'a letter comes in and is decrypted'
commands '^## Watch' '^`julia -explain' | grep -v '^tail' | typed
passed $? 'Watch it: mailq-all, deliver-all'
is "$(find /opt/julia/var /opt/julia/logs -user root ! -path /opt/julia/var)" '' 'root has left nothing where julia must write'
done_testing
