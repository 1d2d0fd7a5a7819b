#ifndef JULIA_KEYS_FILE_RUN_H
#define JULIA_KEYS_FILE_RUN_H

/* Reads BASE/etc/keys-file.conf and serves descriptor 0 (module_serve()). Returns the exit status. */
int run(void);

#endif
