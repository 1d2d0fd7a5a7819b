LIBJULIA_SRC += rules/action.c \
                rules/condition.c \
                rules/expression.c \
                rules/fault.c \
                rules/idn.c \
                rules/lint.c \
                rules/load.c \
                rules/match.c \
                rules/parse.c \
                rules/parse_action.c \
                rules/parse_condition.c \
                rules/pattern.c \
                rules/scan.c \
                rules/treatment.c \
                rules/verdict.c

PROGRAMS += julia-rules
julia-rules_SRC = rules/julia-rules.c
julia-rules_DIR = bin
