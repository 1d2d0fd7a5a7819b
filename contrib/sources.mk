# Programs that are scripts; installed into bin/ as they are.
BIN_SCRIPTS += contrib/bin/mailq-all contrib/bin/deliver-all contrib/postfix/julia-postfix-setup \
               contrib/sendmail/julia-sendmail-setup contrib/tenant/julia-tenant
# What they share; installed into lib.
LIB_SCRIPTS += $(sort $(wildcard contrib/lib/*.sh))
# What julia-tenant is made of; installed into lib/tenant.
TENANT_SCRIPTS += $(sort $(wildcard contrib/tenant/*.sh))
