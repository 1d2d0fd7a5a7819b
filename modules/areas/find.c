/* What can be asked of the areas. */
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "modules/areas/fields.h"
#include "modules/areas/query.h"

int areas_find_address(struct areas *areas, unsigned int areas_mask, const char *address,
                       struct areas_list *list, char *error_r, size_t size)
{
    char *normal = address_normalise(address);
    struct query query = {.statement = INDEX_BY_ADDRESS, .mask = areas_mask, .text = normal};
    int result = 0;

    memset(list, 0, sizeof(*list));
    if (normal != NULL)
        result = areas_query_run(areas, &query, list, error_r, size);
    free(normal);
    return result;
}

int areas_find_serial(struct areas *areas, unsigned int areas_mask, const struct buf *issuer_der,
                      const struct buf *serial, struct areas_list *list, char *error_r, size_t size)
{
    const unsigned char *p = (const unsigned char *)issuer_der->data;
    X509_NAME *issuer = p != NULL ? d2i_X509_NAME(NULL, &p, (long)issuer_der->len) : NULL;
    struct buf shortest = {0};
    struct query query = {
        .statement = INDEX_BY_SERIAL, .mask = areas_mask, .octets = &shortest, .issuer = issuer};
    int result = 0;

    memset(list, 0, sizeof(*list));
    if (issuer != NULL && serial->len > 0) {
        areas_fields_serial(serial->data, serial->len, &shortest);
        query.issuer_hash = areas_fields_name_hash(issuer);
        result = areas_query_run(areas, &query, list, error_r, size);
    }
    X509_NAME_free(issuer);
    buf_free(&shortest);
    return result;
}

int areas_find_ski(struct areas *areas, unsigned int areas_mask, const struct buf *ski,
                   struct areas_list *list, char *error_r, size_t size)
{
    struct query query = {.statement = INDEX_BY_SKI, .mask = areas_mask, .octets = ski};

    memset(list, 0, sizeof(*list));
    return ski->len > 0 ? areas_query_run(areas, &query, list, error_r, size) : 0;
}

int areas_find_fingerprint(struct areas *areas, unsigned int areas_mask, const char *fingerprint,
                           struct areas_list *list, char *error_r, size_t size)
{
    struct query query = {.statement = INDEX_BY_FINGERPRINT, .mask = areas_mask, .text = fingerprint};

    return areas_query_run(areas, &query, list, error_r, size);
}

int areas_find_subject(struct areas *areas, unsigned int areas_mask, const X509_NAME *subject,
                       struct areas_list *list, char *error_r, size_t size)
{
    struct query query = {.statement = INDEX_BY_SUBJECT,
                          .mask = areas_mask,
                          .number = areas_fields_name_hash(subject),
                          .subject = subject};

    return areas_query_run(areas, &query, list, error_r, size);
}

int areas_list_area(struct areas *areas, enum area area, const char *after, size_t max,
                    struct areas_list *list, char *error_r, size_t size)
{
    struct query query = {
        .statement = INDEX_BY_AREA, .area = area, .text = after != NULL ? after : "", .max = max};

    return areas_query_run(areas, &query, list, error_r, size);
}
