#include "modules/check/rng.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

struct rng {
    xmlRelaxNGPtr schema;
};

/* The first complaint, without its newline. */
struct complaint {
    char *text;
    size_t size;
};

static void note(void *context, xmlErrorPtr error)
{
    struct complaint *complaint = context;

    if (complaint->text[0] == '\0' && error->message != NULL)
        snprintf(complaint->text, complaint->size, "%.*s", (int)strcspn(error->message, "\n"),
                 error->message);
}

struct rng *rng_load(const char *path)
{
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(path);
    struct rng *rng = mem_alloc(sizeof *rng);

    if (parser != NULL)
        rng->schema = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    if (rng->schema != NULL)
        return rng;
    fprintf(stderr, "julia-module-check: %s: cannot be read as a RELAX NG schema; name it by -s\n", path);
    rng_free(rng);
    return NULL;
}

void rng_free(struct rng *rng)
{
    if (rng == NULL)
        return;
    xmlRelaxNGFree(rng->schema);
    free(rng);
    xmlCleanupParser();
}

bool rng_valid(struct rng *rng, const char *xml, size_t len, char *error_r, size_t size)
{
    struct complaint complaint = {.text = error_r, .size = size};
    xmlDocPtr doc =
        xmlReadMemory(xml, (int)len, "answer", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_HUGE);
    xmlRelaxNGValidCtxtPtr context = xmlRelaxNGNewValidCtxt(rng->schema);
    int result = -1;

    error_r[0] = '\0';
    if (doc != NULL && context != NULL) {
        xmlRelaxNGSetValidStructuredErrors(context, note, &complaint);
        result = xmlRelaxNGValidateDoc(context, doc);
    } else {
        snprintf(error_r, size, "not well-formed");
    }
    xmlRelaxNGFreeValidCtxt(context);
    xmlFreeDoc(doc);
    return result == 0;
}
