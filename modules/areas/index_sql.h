/* The tables and every statement of the index, in one place. */
#ifndef JULIA_AREAS_INDEX_SQL_H
#define JULIA_AREAS_INDEX_SQL_H

#include "modules/areas/index.h"

extern const char *const index_schema;
extern const char *const index_sql[INDEX_STATEMENT_COUNT];

#endif
