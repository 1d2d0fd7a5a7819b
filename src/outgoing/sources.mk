# Outgoing mail: decide, choose certificates, sign, encrypt, check.
OUTGOING_SRC := \
	src/outgoing/decide.c \
	src/outgoing/dkim.c \
	src/outgoing/entity.c \
	src/outgoing/existing.c \
	src/outgoing/group.c \
	src/outgoing/hcp.c \
	src/outgoing/lastcheck.c \
	src/outgoing/lastcheck_hidden.c \
	src/outgoing/legacy.c \
	src/outgoing/legacy_part.c \
	src/outgoing/outgoing.c \
	src/outgoing/plan.c \
	src/outgoing/prepare.c \
	src/outgoing/prepare_field.c \
	src/outgoing/prepare_gap.c \
	src/outgoing/prepare_leaf.c \
	src/outgoing/product.c \
	src/outgoing/protect.c \
	src/outgoing/select.c \
	src/outgoing/signer.c \
	src/outgoing/treatment.c \
	src/outgoing/trigger.c
