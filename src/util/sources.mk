LIBJULIA_SRC += src/util/base64.c \
                src/util/buf.c \
                src/util/conf.c \
                src/util/conf_value.c \
                src/util/deadline.c \
                src/util/fdio.c \
                src/util/log.c \
                src/util/log_names.c \
                src/util/log_syslog.c \
                src/util/mem.c \
                src/util/network.c \
                src/util/outcome.c \
                src/util/process.c \
                src/util/process_start.c \
                src/util/sha256.c \
                src/util/strlist.c \
                src/util/tmpfile.c \
                src/util/units.c
LDLIBS += -lnettle
