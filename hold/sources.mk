# julia-hold: what waits in the hold store, for people.
PROGRAMS += julia-hold
julia-hold_SRC  = hold/main.c hold/act.c hold/list.c hold/printable.c hold/show.c \
                  $(filter-out src/delivery/hold_age.c,$(filter src/delivery/h% src/delivery/journal%,$(DELIVERY_SRC))) \
                  $(foreach f,config config_check config_profile exit openlog owner,src/core/$(f).c)
julia-hold_DIR  = bin
