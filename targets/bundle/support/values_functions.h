/* Fill `values`, whose size is set and all else is 0, with what all calls share. {place}
   NAME_run takes no memory from the system after that, but for the threads of the library's
   pool, which start when a call first needs them. May be called by any number of threads at
   once, each with its own `values`.
   Returns LXC_OK, {init_codes}. */
int32_t NAME_init(NAME_values *values, const char *path);

/* Give back what `values` holds; no call may be using it. Values that hold nothing, and NULL,
   are left alone. Any number of threads may call it at once, each with its own `values`. Never
   fails. */
void NAME_release(NAME_values *values);

/* Run the check that the library brings: inputs made up by a rule, and outputs that were
   computed in float64 from the values the library was written with. Takes memory from the
   system, and gives it back. `path` is that of NAME_init. May be called by any number of
   threads at once.
   Returns LXC_OK, LXC_ECHECK if a result is further off than it may be, or what
   NAME_init and NAME_run return. */
int32_t NAME_selftest(const char *path);
