/* One look-up in the index, proven against the files it came from. */
#ifndef JULIA_AREAS_QUERY_H
#define JULIA_AREAS_QUERY_H

#include "modules/areas/areas_private.h"

/* A look-up that meets changing files, or an index that another process makes anew, is repeated this often.
 */
#define QUERY_ATTEMPTS 5

struct query {
    enum areas_index_statement statement;
    unsigned int mask;
    const char *text; /* second parameter, one of the three */
    const struct buf *octets;
    int64_t number;
    int64_t issuer_hash;               /* INDEX_BY_SERIAL */
    size_t max;                        /* INDEX_BY_AREA */
    enum area area;                    /* INDEX_BY_AREA */
    const X509_NAME *issuer, *subject; /* names to compare, as hashes may collide */
};

/* 0 with a list (may be empty), or -1: error_r. */
int areas_query_run(struct areas *areas, const struct query *query, struct areas_list *list, char *error_r,
                    size_t size);

#endif
