#!/bin/bash
# The rule files of the operating concept (sections 3.8.2 to 3.8.4) mean what the text beside them says.
rules=${JULIA_BUILD:-build/release}/bin/julia-rules
examples=${JULIA_SOURCE:-.}/rules/examples
# shellcheck source=tests/e2e/tap.sh
. "$(dirname "$0")/tap.sh"

treats() { # treats FILE FROM TO EXPECTED WHAT; \t in EXPECTED stands for a tab
    is "$("$rules" test "$examples/$1.rules" "$2" "$3" 2>&1)" "$3"$'\t'"$(printf '%b' "$4")" "$1: $5"
}

for file in authority-signature authority-partners authority-users users; do
    is "$("$rules" lint "$examples/$file.rules"; echo "exit $?")" 'exit 0' "$file: lint is content"
done

mail='sign=force:mail@behoerde.de'
# 3.8.2, "only for the signature": whoever writes to whomever, mail@behoerde.de signs. Printed with FS@.
treats authority-signature user_1@behoerde.de a@extern.example "$mail\tencrypt=no\tprofile=default\tlines=7" 'signed by the authority'
treats authority-signature chef@behoerde.de b@partner-1.com "$mail\tencrypt=no\tprofile=default\tlines=7" 'the same for anybody'

# 3.8.2, with partners: mail to both partners is encrypted, too.
own='sign=force:user_1@behoerde.de,fallback mail@behoerde.de'
treats authority-partners user_1@behoerde.de a@extern.example "$mail\tencrypt=no\tprofile=default\tlines=7" 'others only signed'
treats authority-partners user_1@behoerde.de a@partner-1.com "$own\tencrypt=force\tprofile=default\tlines=7,8" 'partner-1 encrypted'
treats authority-partners user_1@behoerde.de a@PARTNER-2.com "$own\tencrypt=force\tprofile=default\tlines=7,9" 'partner-2 encrypted'
treats authority-partners user_1@behoerde.de a@partner-1.com.evil.example "$mail\tencrypt=no\tprofile=default\tlines=7" 'a domain is no substring'
treats authority-partners user_1@behoerde.de a@mail.partner-1.com "$mail\tencrypt=no\tprofile=default\tlines=7" 'a domain does not mean those below it'

# 3.8.3: two users with certificates of their own; everybody else uses the authority's.
treats authority-users user_1@behoerde.de a@extern.example "$own\tencrypt=possible\tprofile=default\tlines=7,10" 'a user encrypts where possible'
treats authority-users USER_2@Behoerde.de a@extern.example 'sign=force:USER_2@Behoerde.de,fallback mail@behoerde.de\tencrypt=possible\tprofile=default\tlines=7,11' 'so does the other'
treats authority-users user_1@behoerde.de a@partner-1.com "$own\tencrypt=force\tprofile=default\tlines=7,8,10" 'a later EIP does not weaken FE'
treats authority-users user_3@behoerde.de a@extern.example "$mail\tencrypt=no\tprofile=default\tlines=7" 'the others: only signed'
treats authority-users user_3@behoerde.de a@partner-2.com 'sign=force:user_3@behoerde.de,fallback mail@behoerde.de\tencrypt=force\tprofile=default\tlines=7,9' 'the others: encrypted to partners'

# 3.8.4: each user's signature is forced (line 1), partners always encrypted and signed (lines 2 and 3).
treats users user_1@behoerde.de a@extern.example 'sign=force:user_1@behoerde.de\tencrypt=no\tprofile=default\tlines=7' 'own signature forced'
treats users user_1@behoerde.de a@partner-1.com 'sign=force:user_1@behoerde.de\tencrypt=force\tprofile=default\tlines=7,8' 'partner-1 encrypted and signed'
treats users user_2@behoerde.de a@partner-2.com 'sign=force:user_2@behoerde.de\tencrypt=force\tprofile=default\tlines=7,9' 'partner-2 encrypted and signed'
done_testing
