# Incoming mail: unwrap, verify, report, deliver.
INCOMING_SRC := \
	src/incoming/alike.c \
	src/incoming/assemble.c \
	src/incoming/author.c \
	src/incoming/copydigest.c \
	src/incoming/deliver.c \
	src/incoming/forged.c \
	src/incoming/garbled.c \
	src/incoming/handover.c \
	src/incoming/harvest.c \
	src/incoming/headercopy.c \
	src/incoming/incoming.c \
	src/incoming/intact.c \
	src/incoming/keyright.c \
	src/incoming/layer.c \
	src/incoming/layer_answer.c \
	src/incoming/layer_look.c \
	src/incoming/opener.c \
	src/incoming/protected.c \
	src/incoming/readings.c \
	src/incoming/reencrypt.c \
	src/incoming/returned.c \
	src/incoming/returned_copy.c \
	src/incoming/signerstatus.c \
	src/incoming/status.c \
	src/incoming/status_field.c \
	src/incoming/subjecttag.c \
	src/incoming/unwrap.c
