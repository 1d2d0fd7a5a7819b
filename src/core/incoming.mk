# Incoming mail: unwrap, verify, report, deliver.
INCOMING_SRC := \
	src/core/assemble.c \
	src/core/author.c \
	src/core/deliver.c \
	src/core/forged.c \
	src/core/harvest.c \
	src/core/headercopy.c \
	src/core/incoming.c \
	src/core/intact.c \
	src/core/keyright.c \
	src/core/layer.c \
	src/core/layer_answer.c \
	src/core/layer_look.c \
	src/core/opener.c \
	src/core/protected.c \
	src/core/quoted.c \
	src/core/signerstatus.c \
	src/core/status.c \
	src/core/status_field.c \
	src/core/subjecttag.c \
	src/core/unwrap.c \
	src/core/verifylog.c
CORE_SRC += $(INCOMING_SRC)
