divert(-1)
# julia.m4: the receiving Sendmail calls julia for all mail that is not for this host itself.
#
# julia-sendmail-setup(8) copies these lines to the end of sendmail.mc. By hand: define the four names below before them.
#
#   JULIA_PROGRAM  /opt/julia/bin/julia
#   JULIA_CONF     /opt/julia/etc/julia.conf
#   JULIA_USER     user:group that julia runs as, never root
#   JULIA_MAILER   recommended, or concept (the definition of the operating concept, to the letter)
#   JULIA_TENANTS  what julia-tenant(8) writes, read if it is there
#
# The comments here stay out of sendmail.cf.

# Everything that is not local goes to one mailer with one fixed host, so that recipients of all domains come in one call.
define(`SMART_HOST', `julia:julia')

# The definition of the operating concept names no user: it runs as DefaultUser.
ifelse(JULIA_MAILER, `concept', `define(`confDEF_USER_ID', JULIA_USER)')

divert(0)dnl
LOCAL_CONFIG
# Sendmail forgets ${client_addr} when it queues a message, and julia would not know from whom a message is that is tried
# again. Macros in this class are written to the queue file. ({julia_auth} and x: see below.)
C{persistentMacros}{client_addr} {julia_auth} x
Kjulia_keep macro

# {auth_authen} is empty after the first call of a mailer. A copy lives as long as the message.
LOCAL_RULESETS
SLocal_check_rcpt
R$*			$: $1 $(julia_keep {julia_auth} $@ $&{auth_authen} $)

LOCAL_RULE_0
# A sender with an account on this host is the user that Sendmail would run julia as, whatever U= says, and the world can write
# any sender. So no envelope sender is a local user. Recipients (addr_type "e r") go where they always went.
R$*			$: < $&{addr_type} > $1
R< e s > $+		$#julia $@ julia $: $1
R< $* > $*		$: $2

MAILER_DEFINITIONS
ifelse(JULIA_MAILER, `concept', `dnl
# As in the operating concept. Its traps, and what becomes of them (README.md beside julia-sendmail-setup tells more):
#   - ${client_addr} alone: empty on a retry from the queue unless it is in the class above; then julia reads the topmost Received field
#   - no flag n: the first line is "From SENDER date"; julia takes the envelope sender from it and removes it
#   - flag s: quotes are stripped from recipients; julia puts them back
#   - flag 9: text/plain in base64 or quoted-printable is decoded before julia sees it
#   - flags D, F, M: a missing Date, From or Message-Id is added
Mjulia,		P=JULIA_PROGRAM, F=sDFmMoqeu9, D=$z:/,
		T=X-Unix/X-Unix/X-Unix,
		A=JULIA_PROGRAM -c JULIA_CONF -client ${client_addr} -readmail $u
', `dnl
# F=  m  one call for all recipients          n  no "From SENDER date" line, the sender comes by -sender
#     q  VRFY answers 250                     u  upper case in local parts stays
#     8  8-bit data stays as it is; no flag 9: nothing is decoded; no flag s: quotes stay
#     no D, F, M: nothing is added to the header of mail that comes by SMTP. Notices that Sendmail writes itself need those
#     fields; they (and letters of users of this host) are told by $x, the name of the sender as this host knows it
# S=  gives these notices a sender with a domain in From
# r=  recipients in one call; Sendmail has room for some 250 arguments
# -peer: $_ names the client at the first try and at every other, and is "localhost" for notices that Sendmail writes itself
H?$x?Date: $a
H?$x?From: $?x$x <$g>$|$g$.
H?$x?Message-Id: <$t.$i@$j>

SJuliaHdrFrom
R$n			$@ $n < @ $j . >

Mjulia,		P=JULIA_PROGRAM, F=mnqu8, U=JULIA_USER, D=/, S=0/JuliaHdrFrom, L=0, r=200,
		T=DNS/RFC822/X-Unix,
		A=JULIA_PROGRAM -c JULIA_CONF -client ${client_addr} -peer $_ -sender $f -auth ${julia_auth} -queue-id $i -dsn \,${dsn_ret}\,${dsn_envid} -readmail $u
')dnl
sinclude(JULIA_TENANTS)dnl
