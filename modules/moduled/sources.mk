# julia-moduled: keeps a module's workers running behind a Unix socket.
PROGRAMS += julia-moduled
julia-moduled_SRC = modules/moduled/main.c modules/moduled/listen.c modules/moduled/workers.c
julia-moduled_DIR = bin
