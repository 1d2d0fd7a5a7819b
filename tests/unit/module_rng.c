#include "tests/unit/module_rng.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdlib.h>

#include "util/mem.h"

char *module_rng_path(const char *relative)
{
    const char *source = getenv("JULIA_SOURCE");

    return mem_printf("%s/%s", source != NULL ? source : ".", relative);
}

static void quiet(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

static xmlRelaxNGPtr schema(void)
{
    static xmlRelaxNGPtr loaded;

    if (loaded == NULL) {
        char *path = module_rng_path("modules/protocol.rng");
        xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(path);

        loaded = xmlRelaxNGParse(parser);
        xmlRelaxNGFreeParserCtxt(parser);
        free(path);
    }
    return loaded;
}

bool module_rng_valid(const char *xml, size_t len)
{
    xmlDocPtr doc = xmlReadMemory(xml, (int)len, "frame", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    xmlRelaxNGValidCtxtPtr context = xmlRelaxNGNewValidCtxt(schema());
    int result = -1;

    if (doc != NULL && context != NULL) {
        xmlRelaxNGSetValidStructuredErrors(context, quiet, NULL);
        result = xmlRelaxNGValidateDoc(context, doc);
    }
    xmlRelaxNGFreeValidCtxt(context);
    xmlFreeDoc(doc);
    return result == 0;
}
