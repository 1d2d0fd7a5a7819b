/* After this the process can work on the descriptors it has and gets, and on nothing else: no file is opened,
   no network is reached, no process is started. It parses what strangers send. */
#ifndef SMIME_SANDBOX_H
#define SMIME_SANDBOX_H

#include <stdbool.h>

/* Forbidden calls fail with EPERM. False with errno when the filter cannot be installed. Built without
   libseccomp it does nothing and returns true; sandbox_available() tells. */
bool sandbox_enter(void);
bool sandbox_available(void);

#endif
