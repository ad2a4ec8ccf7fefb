#ifndef LXC_VALUES_1
#define LXC_VALUES_1

/* What the calls of one model share. NAME_init fills it and NAME_release takes it back; in
   between it is read only, by any number of threads. */
typedef struct lxc_values {
    uint32_t size;  /* sizeof(lxc_values) */
    uint32_t flags; /* 0 */
    const void *const *params; /* for lxc_call.params; NULL for what run does not read */
    const void *const *state;  /* the first state; NULL for leaves whose size depends on
                                  dimensions: bring memory for them, filled with zeros */
    const void *prepared;      /* for lxc_call.prepared */
    void *memory;              /* the library's own */
} lxc_values;

#endif
