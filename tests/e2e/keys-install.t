#!/bin/bash
# README.md, contrib/systemd/README and `make install` as an administrator follows them: the commands are taken from the documents and run
# as they are printed, in a mount namespace where /etc and /opt are copies. systemd itself is played by units.py.
set -u
E2E=$(cd "$(dirname "$0")" && pwd)
SOURCE=${JULIA_SOURCE:-$(cd "$E2E/../.." && pwd)}
BUILD=${JULIA_BUILD:-$SOURCE/build/release}
# shellcheck source=tests/e2e/tap.sh
. "$E2E/tap.sh"

if [ -z "${JULIA_IN_WORLD-}" ]; then
    [ "$(id -u)" = 0 ] || skip_all 'needs root for users of its own'
    for program in useradd setpriv; do command -v $program >/dev/null || skip_all "$program is not installed"; done
    # In a chroot "/" is no mount point whose propagation could be changed.
    for private in '-m' '-m --propagation unchanged'; do
        # shellcheck disable=SC2086
        ! unshare $private -p -f --mount-proc true 2>/dev/null ||
            exec unshare $private -p -f --mount-proc --kill-child env JULIA_IN_WORLD=yes bash "$0" "$@"
    done
    skip_all 'unshare is not permitted here'
fi

W=$(mktemp -d "${TMPDIR:-/tmp}/julia-install.XXXXXX")
chmod 755 "$W"
trap 'cd / && umount "$W/etc" "$W/opt" 2>/dev/null; rm -rf "$W"' EXIT
umask 022
mkdir "$W/etc" "$W/opt"
cp -a /etc/. "$W/etc"
mount --bind "$W/etc" /etc
mount --bind "$W/opt" /opt
export LC_ALL=C.UTF-8
unset MAKEFLAGS MAKELEVEL

install_to() { # install_to PREFIX [VARIABLE=VALUE...]: with the programs there are
    local prefix=$1
    shift
    # shellcheck disable=SC2086
    ${tracing-} make -s -C "$SOURCE" -o programs install B="$BUILD" PREFIX="$prefix" "$@" >"$W/install.log" 2>&1 || { diag "$(cat "$W/install.log")"; return 1; }
}

# The indented lines of a document between two lines of it.
commands() { sed -n "/$2/,/$3/s/^    //p" "$1"; }

as() { # as USER COMMAND...
    local user=$1
    shift
    setpriv --reuid="$user" --regid="$user" --init-groups env -i PATH="$PATH" LC_ALL=C.UTF-8 "$@"
}

run_lines() { # runs standard input, each line as printed; stops at the first that fails
    sh -eux >"$W/out" 2>&1 || { diag "$(tail -n 12 "$W/out")"; return 1; }
}

# ---- README -------------------------------------------------------------------------------------------------------------

install_to /opt/julia
ok $? 'make install'
commands "$SOURCE/README.md" '^## Install' '^## Tell' | grep -v -e '^\./bootstrap' -e '^make' | run_lines
ok $? 'README: the user and its folders'

commands "$SOURCE/README.md" '^Edit' '^Copy certificates' >>/opt/julia/etc/julia.conf
commands "$SOURCE/README.md" '^Write the rules' '^Try them' >/opt/julia/etc/julia.rules
mkdir /etc/postfix-julia-external /etc/postfix-julia-internal /etc/postfix-julia-scanner
P=$W/pki
if [ -n "$(find "$BUILD/tests/pki" -maxdepth 1 -name crl.pem -mtime -1 2>/dev/null)" ]; then # made by other tests today
    cp -R "$BUILD/tests/pki" "$P"
else
    sh "$E2E/pki.sh" "$P" >"$W/pki.log" 2>&1 || diag "$(cat "$W/pki.log")"
fi
commands "$SOURCE/README.md" '^Try them' '^## Put' >"$W/try"
is "$(wc -l <"$W/try")" 3 'README: three commands to try rules and configuration'
while read -r line; do
    sh -c "$line" >"$W/out" 2>&1
    ok $? "README: $line" || diag "$(cat "$W/out")"
done <"$W/try"
/opt/julia/bin/julia-module-check keys-file >"$W/out" 2>&1
ok $? 'root tries a module' || diag "$(cat "$W/out")"
printf 'From: a@behoerde.de\n\nt\n' | /opt/julia/bin/julia -explain -readmail b@x.example >"$W/out" 2>&1
ok $? 'root asks for an explanation' || diag "$(cat "$W/out")"
/opt/julia/bin/julia -prune >"$W/out" 2>&1
ok $? 'root prunes the journal' || diag "$(cat "$W/out")"
is "$(find /opt/julia/var /opt/julia/logs -user root ! -path /opt/julia/var)" '' 'what root tries leaves nothing of root where julia must write'
chmod 600 /opt/julia/etc/julia.conf
like "$(/opt/julia/bin/julia -check)" '^FAULT configuration: .*julia.conf: Permission denied' 'a configuration that only root can read is a fault, also to root'
chmod 644 /opt/julia/etc/julia.conf

# Keys and certificates as the table says, and the two commands below it.
openssl pkcs12 -export -in "$P/mail.crt" -inkey "$P/mail.key" -passout pass: -out "$W/mail.p12"
cp "$P/anna.crt" "$W/partner.pem"
cp "$P/ca.crt" "$P/crl.pem" /opt/julia/etc/ca
(cd "$W" && commands "$SOURCE/README.md" '^which julia may not' '^Keys under' | run_lines)
ok $? 'README: a key and a certificate'

letter() {
    printf 'From: user_1@behoerde.de\nTo: %s\nSubject: s\nMessage-ID: <%s@x>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n\nHello\n' "$1" "$RANDOM$RANDOM"
}
printf '#!/bin/sh\n{ env; umask; readlink /proc/self/fd/*; } >%s/target.env\ncat >%s/target.eml\n' "$W/sink" "$W/sink" >"$W/target"
chmod 755 "$W/target"
install -d -m 777 "$W/sink"
printf 'TARGET_EXTERNAL = %s\nTARGET_INTERNAL = %s\n' "$W/target" "$W/target" >>/opt/julia/etc/julia.conf
send() { # send USER RCPT: as Postfix does, with its umask and its environment
    rm -f "$W/sink/"*
    letter "$2" >"$W/letter"
    (umask 077; as "$1" JULIA_TEST=leak "${JULIA-/opt/julia/bin/julia}" ${CONF:+-c "$CONF"} -client 10.1.0.7 -sender user_1@behoerde.de -readmail "$2" \
        <"$W/letter" 7<"$W/letter") >"$W/out" 2>&1
}
opens() { openssl cms -decrypt -in "$W/sink/target.eml" -recip "$P/anna.crt" -inkey "$P/anna.key" 2>/dev/null | grep -c 'multipart/signed'; }

send julia anna@partner-1.com
is "$? $(opens)" '0 1' 'a letter is signed by the PKCS#12 key and encrypted' || diag "$(cat "$W/out" /opt/julia/logs/*)"
is "$(grep -c -v -e '^PATH=' -e '^LANG=' -e '^PWD=' -e '^00' -e '^/memfd' -e '^pipe' -e '^/proc' -e "^$W/sink" "$W/sink/target.env")" 0 \
    'the target gets nothing of the environment and of the descriptors' || diag "$(cat "$W/sink/target.env")"
is "$(find /opt/julia/var /opt/julia/logs -type f -perm /007 ! -name '*.dist')" '' 'nothing that julia wrote is readable by others'
is "$(stat -c %a /opt/julia/logs/julia.log)" 640 'the log is for the group, whatever the umask of the MTA'

# ---- a file that the module may not read ----------------------------------------------------------------------------------

install -m 600 "$P/bert.crt" /opt/julia/etc/public/bert.pem
send julia bert@partner-1.com
like "$? $(head -n 1 "$W/out")" '^75 4\..*bert.pem: cannot be opened: Permission denied' "a partner's unreadable certificate: the mail waits, and says why"
chmod 644 /opt/julia/etc/public/bert.pem
send julia bert@partner-1.com
is $? 0 'readable: it goes'
chown root /opt/julia/etc/private/mail.p12
send julia anna@partner-1.com
like "$? $(head -n 1 "$W/out")" '^75 4\..*mail.p12: cannot be opened' 'a key of somebody else: the mail waits'
chown julia /opt/julia/etc/private/mail.p12
chmod 640 /opt/julia/etc/private/mail.p12
send julia anna@partner-1.com
like "$? $(head -n 1 "$W/out")" '^75 4\..*mail.p12: private key refused' 'a key that the group can read: the mail waits'
chmod 600 /opt/julia/etc/private/mail.p12
install -m 600 "$P/revoked.crt" /opt/julia/etc/untrusted/bad.pem
send julia anna@partner-1.com
like "$? $(head -n 1 "$W/out")" '^75 4\..*bad.pem: cannot be opened' 'what is distrusted cannot be read: nothing is trusted'
rm /opt/julia/etc/untrusted/bad.pem

# ---- twice, another place -----------------------------------------------------------------------------------------------

echo '# mine' >>/opt/julia/etc/templates/de/notice.txt
sed -n '$p' /opt/julia/etc/julia.conf >"$W/last"
if command -v strace >/dev/null; then # while mail flows there is always a whole program, the old one or the new one
    tracing="strace -f -qq -y -o $W/trace -e trace=unlink,unlinkat,open,openat,creat"
    (umask 077; install_to /opt/julia)
    tracing=
    is "$(grep -E 'unlink|O_CREAT|O_TRUNC|creat' "$W/trace" | grep -E '/opt/julia/(bin|lib|lib/[a-z]+)(>, "|/)[a-z][a-z.-]*"' | grep -v '= -1 ENOENT')" '' \
        'installed anew: no program is removed or overwritten'
fi
(umask 077; install_to /opt/julia)
ok $? 'make install again, with a strict umask'
is "$(tail -n 1 /opt/julia/etc/templates/de/notice.txt) $(sed -n '$p' /opt/julia/etc/julia.conf)" "# mine $(cat "$W/last")" 'what was edited stays'
is "$(cd /opt/julia/etc && find . -name '*.dist' | sort | tr '\n' ' ')" \
    './julia.conf.dist ./julia.rules.dist ./keys-file.conf.dist ./templates/de/notice.txt.dist ./trust.conf.dist ' 'beside it lies what was shipped'
is "$(cd /opt/julia/etc/templates && find . -type f ! -name '*.dist' -perm 644 | sort)" "$(cd "$SOURCE/etc/templates" && find . -type f | sort)" \
    'all templates are there'
send julia anna@partner-1.com
is "$? $(opens)" '0 1' 'and it still works'

cp -a /opt/julia "$W/copy"
sed -i "s#^BASE = .*#BASE = $W/copy#" "$W/copy/etc/julia.conf"
mv /opt/julia /opt/away
JULIA=$W/copy/bin/julia CONF=$W/copy/etc/julia.conf send julia anna@partner-1.com
is "$? $(opens)" '0 1' 'a copy of the tree works elsewhere with another BASE' || diag "$(cat "$W/out")"
mv /opt/away /opt/julia

install_to /srv/gateway DESTDIR="$W/dest"
ok $? 'make install with PREFIX and DESTDIR'
is "$(grep -rl /opt/julia "$W/dest/srv/gateway/etc" "$W/dest/srv/gateway/share/systemd" "$W/dest/srv/gateway/share/cron")" '' 'nothing speaks of another place'
is "$(cd "$SOURCE/etc/examples" && find . -type f | sort)" "$(cd "$W/dest/srv/gateway/share/examples" && find . -type f -perm 644 | sort)" 'the examples are installed'
is "$(grep '^BASE' "$W/dest/srv/gateway/share/examples/reference/julia.conf")" 'BASE             = /srv/gateway' '... for this place'
is "$(grep '^BASE' "$W/dest/srv/gateway/etc/julia.conf")" 'BASE = /srv/gateway' 'BASE is the prefix'

for page in "$SOURCE"/man/*.[578]; do
    page=${page##*/}
    if command -v man >/dev/null; then
        man -M /opt/julia/share/man "${page##*.}" "${page%.*}" >"$W/man" 2>&1
    else
        mandoc "/opt/julia/share/man/man${page##*.}/$page" >"$W/man" 2>&1
    fi
    sed 's/.\x08//g' "$W/man" | grep -q '^NAME' || missing="${missing-} $page"
done
is "${missing-}" '' 'every manual page can be shown'

# ---- contrib/systemd/README ------------------------------------------------------------------------------------------------

U=$SOURCE/contrib/systemd/README
mkdir -p /etc/sysusers.d /etc/systemd/system "$W/bin"
printf '#!/bin/sh\n' >"$W/bin/systemctl"
cat >"$W/bin/systemd-sysusers" <<'END'
#!/bin/sh
sed -n 's/^u \([^ ]*\) .*/\1/p' /etc/sysusers.d/julia.conf | while read -r u; do
    getent passwd "$u" >/dev/null || useradd --system --user-group --no-create-home "$u" || exit 1
done
END
chmod 755 "$W/bin/"*
commands "$U" '^Installation' '^In etc.keys' | PATH=$W/bin:$PATH run_lines
ok $? 'systemd README: users, units, folders'
commands "$U" '^In etc.keys' '^In etc.trust' >>/opt/julia/etc/keys-file.conf
commands "$U" '^In etc.trust' '^In etc.julia' >>/opt/julia/etc/trust.conf
commands "$U" '^In etc.julia' '^Does it' >>/opt/julia/etc/julia.conf
python3 "$E2E/keys-units.py" /etc/systemd/system/julia-*.socket >"$W/units.log" 2>&1 &
units=$!
for n in keys-file trust smime; do
    for _ in $(seq 100); do [ ! -S /opt/julia/var/run/$n ] || break; sleep 0.05; done
done
commands "$U" '^Does it' '^After a change' | sed 's/^sudo -u julia //' >"$W/try"
while read -r line; do
    as julia $line >"$W/out" 2>&1
    ok $? "systemd README: $line" || diag "$(cat "$W/out")" "$(cat "$W/units.log")"
done <"$W/try"
send julia anna@partner-1.com
is "$? $(opens)" '0 1' 'services under users of their own sign and encrypt' || diag "$(cat "$W/out" "$W/units.log")"
is "$(find /opt/julia/var -type f -perm /007)" '' 'services write nothing for others'
is "$(cd /opt/julia/var/index && echo keys-file/* trust/*)" 'keys-file/index.sqlite trust/index.sqlite' 'each has an index of its own' || diag "$(cat "$W/units.log")"
as julia cat /opt/julia/etc/private/mail.p12 >/dev/null 2>&1
is $? 1 'the user of julia cannot read a private key'
useradd --system --user-group --no-create-home stranger
is "$(as stranger /opt/julia/bin/julia-module-check unix:/opt/julia/var/run/keys-file 2>&1 | grep -c 'Permission denied')" 1 'a stranger cannot connect'
for u in smime trust; do
    as "julia-$u" cat /opt/julia/etc/private/mail.p12 >/dev/null 2>&1
    is $? 1 "the user of $u cannot either"
done
kill $units
wait $units 2>/dev/null
done_testing
