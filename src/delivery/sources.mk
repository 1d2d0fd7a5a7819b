# Between the decisions and the next MTA: the journal, hand-off, mails to people.
DELIVERY_SRC := \
	src/delivery/handoff.c \
	src/delivery/handoff_argv.c \
	src/delivery/hold.c \
	src/delivery/hold_age.c \
	src/delivery/hold_claim.c \
	src/delivery/hold_deliver.c \
	src/delivery/hold_keep.c \
	src/delivery/hold_record.c \
	src/delivery/hold_store.c \
	src/delivery/journal.c \
	src/delivery/journal_file.c \
	src/delivery/journal_prune.c \
	src/delivery/report_admin.c \
	src/delivery/report_answer.c \
	src/delivery/report_builtin.c \
	src/delivery/report_held_back.c \
	src/delivery/report_mail.c \
	src/delivery/report_rate.c \
	src/delivery/report_refuse.c \
	src/delivery/report_sender.c \
	src/delivery/report_template.c \
	src/delivery/report_undelivered.c \
	src/delivery/report_withheld.c
