# Messages and addresses.
FUZZERS += fuzz-mime fuzz-header fuzz-words fuzz-typed fuzz-address fuzz-cms fuzz-source
fuzz-header_SRC  = src/incoming/forged.c
fuzz-typed_SRC   = src/outgoing/prepare_field.c
fuzz-address_SRC = src/incoming/author.c
