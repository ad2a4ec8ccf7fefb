/* Whether this processor has all that the compiled code needs: ask before the first call of
   NAME_prepare or NAME_run, which do not. May be called by any number of threads at once.
   Returns LXC_OK or LXC_EPROCESSOR. */
int32_t NAME_check_processor(void);
