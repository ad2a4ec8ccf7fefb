/* The version of this interface: UPPER_ABI_VERSION of the header that the library was made
   with. Any number of threads may call it at once. Never fails. */
uint32_t NAME_abi_version(void);

/* What went wrong in the last call on this thread that did not return LXC_OK. The text belongs
   to the library and changes with the next failure on this thread. Any number of threads may
   call it at once, and each has a text of its own. Never fails. */
const char *NAME_last_error(void);

/* The library's own pool, for calls of this or of any other model. It starts its threads when
   a call first needs them, and again in a child process. Any number of threads may ask for it
   and use it at once. Never fails. */
const lxc_pool *NAME_pool(void);

/* Compute `prepared` from the params and the frozen state. Must be called once before the
   first run, and again when one of these changes. Any number of threads may call it at once,
   each with its own `prepared`.
   Returns LXC_OK, LXC_EARGUMENT, LXC_ENULL, LXC_EALIGNMENT, LXC_EDIMENSION, LXC_EOVERLAP,
   LXC_EPOOL or LXC_EKERNEL. */
int32_t NAME_prepare(const NAME_prepare_call *call);

/* Compute outputs and new state. Any number of threads may call it at once, each with its own
   arena, outputs and state that comes out; they may share `prepared`.
   Returns LXC_OK, LXC_EARGUMENT, LXC_ENULL, LXC_EALIGNMENT, LXC_EDIMENSION, LXC_EOVERLAP,
   LXC_EPOOL or LXC_EKERNEL; in all cases but the last nothing was written. */
int32_t NAME_run(const NAME_call *call);
