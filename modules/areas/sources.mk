# The certificate areas, for module programs: add $(AREAS_SRC) to NAME_SRC and $(AREAS_LIBS) to NAME_LIBS.
AREAS_SRC  = modules/areas/areas.c modules/areas/find.c modules/areas/scan.c modules/areas/record.c modules/areas/index.c modules/areas/index_sql.c \
             modules/areas/file.c modules/areas/file_pem.c modules/areas/file_der.c modules/areas/file_key.c \
             modules/areas/file_pkcs12.c modules/areas/fields.c modules/areas/stamp.c
AREAS_LIBS = -lcrypto -lsqlite3

# bench/areas-lookup.sh runs it.
PROGRAMS          += areas-lookup
areas-lookup_SRC   = bench/areas-lookup.c $(AREAS_SRC)
areas-lookup_LIBS  = $(AREAS_LIBS)
areas-lookup_DIR   = bench
