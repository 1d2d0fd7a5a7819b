# The certificate areas, for module programs: add $(AREAS_SRC) to NAME_SRC and $(AREAS_LIBS) to NAME_LIBS.
AREAS_SRC  = $(addprefix modules/areas/, \
	areas.c cache.c crl.c find.c find_crl.c find_key.c query.c \
	scan.c scan_state.c scan_visit.c scan_walk.c record.c index.c index_sql.c stamp.c \
	file.c file_pem.c file_der.c file_key.c file_pkcs12.c fields.c)
AREAS_LIBS = -lcrypto -lsqlite3

# bench/areas-lookup.sh runs it.
PROGRAMS          += areas-lookup
areas-lookup_SRC   = bench/areas-lookup.c $(AREAS_SRC)
areas-lookup_LIBS  = $(AREAS_LIBS)
areas-lookup_DIR   = bench
