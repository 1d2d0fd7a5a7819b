/* keys-file: the key module over plain directories (julia-keys-file(8)). */
#include "modules/keys-file/run.h"

int main(void)
{
    return run();
}
