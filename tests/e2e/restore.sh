# What the tests of docs/restore.md share. Source it after gateway.sh.
#
#   block TEXT, run_block TEXT    the indented block behind the line of the page that has TEXT: printed, run
#   fresh_install                 make install, without etc/ and var/ of old
#   check FAULTS NAME             TAP: how many faults julia -check finds, as the page calls it
#   works NAME                    TAP: a letter out, an encrypted and signed one in

# shellcheck shell=bash
command -v make >/dev/null || skip_all 'make is not installed'
PAGE=$SOURCE/docs/restore.md
unset MAKEFLAGS MAKELEVEL

# The indented block behind the line of the page that has TEXT, with the paths of this world.
block() { # block TEXT
    awk -v text="$1" '!found { found = index($0, text) > 0; next } /^(    |       )[^ ]/ { sub(/^ +/, ""); print; shown = 1; next } shown { exit }' "$PAGE" |
        sed -e "s#/opt/julia#$WORLD/base#g; s#/etc/postfix-julia-\([a-z]*\)#$WORLD/queues/\1/etc#g; s#/etc/mail#$WORLD/mail#g"
}
run_block() { # run_block TEXT: each command as printed, in the folder of the archive
    block "$1" >"$WORLD/commands"
    [ -s "$WORLD/commands" ] && (cd "$WORLD/archive" && sh -eu "$WORLD/commands") >"$WORLD/out" 2>&1
}
fresh_install() { # without etc/ and var/ of old
    rm -rf "$WORLD/base" "$WORLD/queues"
    make -s -C "$SOURCE" -o programs install B="$BUILD" PREFIX="$WORLD/base" >"$WORLD/log/install.log" 2>&1 || { diag "$(cat "$WORLD/log/install.log")"; return 1; }
    chown -R $WORLD_USER: "$WORLD/base/var" "$WORLD/base/logs" "$WORLD/base/etc/private" # README, "Install"
}
works() { # works NAME: a letter out, an encrypted and signed one in
    sink_clear external
    sink_clear internal
    letter "$WORLD/m" user_1@behoerde.de anna@partner-1.com 'out'
    out "$WORLD/m" anna@partner-1.com
    wait_for_sink external 1
    decrypt anna "$(sink_message external 1)" "$WORLD/t" && verify "$WORLD/t" "$WORLD/t2"
    ok $? "$1: a letter is signed and encrypted" || world_log
    letter "$WORLD/m" anna@partner-1.com user_1@behoerde.de 'in'
    openssl cms -sign -in "$WORLD/m" -signer "$PKI/anna.crt" -inkey "$PKI/anna.key" |
        openssl cms -encrypt -aes-256-gcm -from anna@partner-1.com -to user_1@behoerde.de -subject in "$PKI/user_1.crt" >"$WORLD/secret"
    printf 'Message-ID: <%s@partner-1.com>\n' "$RANDOM$RANDOM" | cat - "$WORLD/secret" >"$WORLD/m"
    in_ "$WORLD/m" user_1@behoerde.de
    wait_for_sink internal 1
    is "$(tr -d '\r' <"$(sink_message internal 1)" | grep -c -e '^X-JULIA-Encryption: decrypted' -e '^X-JULIA-Signature: valid' -e '^A letter')" 3 \
        "$1: an encrypted letter is opened and its signature verified" || diag "$(head -c 3000 "$(sink_message internal 1)")" 
}
check() { # check FAULTS NAME: what julia -check of the page complains about
    block 'Does everything fit' >"$WORLD/commands"
    sh -eu "$WORLD/commands" >"$WORLD/check" 2>&1
    is "$(grep -c '^FAULT' "$WORLD/check")" "$1" "$2" || diag "$(cat "$WORLD/check")"
}
