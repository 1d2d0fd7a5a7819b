# What stands between the decisions and the next MTA: the message as it came, the journal, hand-off, mails to people.
DELIVERY_SRC := \
	src/core/envelope_line.c \
	src/core/handoff.c \
	src/core/handoff_argv.c \
	src/core/journal.c \
	src/core/journal_file.c \
	src/core/journal_prune.c \
	src/core/message.c \
	src/core/report_admin.c \
	src/core/report_answer.c \
	src/core/report_builtin.c \
	src/core/report_mail.c \
	src/core/report_rate.c \
	src/core/report_template.c \
	src/core/report_undelivered.c \
	src/core/spool.c
CORE_SRC += $(DELIVERY_SRC)
