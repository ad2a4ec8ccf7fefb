/* The version of this interface: UPPER_ABI_VERSION of the header that the library was made
   with. Never fails. */
uint32_t NAME_abi_version(void);

/* What went wrong in the last call on this thread that did not return LXC_OK. The text belongs
   to the library and changes with the next failure on this thread. Never fails. */
const char *NAME_last_error(void);

/* Every address in the tables of a call, and those of `prepared` and of the arena, are in the
   memory of the card; the tables themselves, `dims` and the struct are in that of the host,
   and are free again when the function returns. `pool` must be NULL and `threads` 0.

   The model runs on one card of the process: the one that card()->use named, else that of the
   context that is current in the first call, else the first one. Later calls may come from
   any thread, whatever context is current there; it is current again when they return. A
   context that is not the primary one of its card must stay until close() has returned.
   NVIDIA's driver is opened by the first call. A process that was forked after that gets
   LXC_EDEVICE. */

/* Compute `prepared` from the params and the frozen state, which must be there: work on other
   streams than the default one is not waited for. Must be called once before the first run,
   and again when one of these changes. Any number of threads may call it at once, each with
   its own `prepared`. It is filled when the function returns.
   Returns LXC_OK, LXC_EARGUMENT, LXC_ENULL, LXC_EALIGNMENT, LXC_EDIMENSION, LXC_EOVERLAP,
   LXC_EKERNEL, LXC_EDEVICE or LXC_EMEMORY. */
int32_t NAME_prepare(const NAME_prepare_call *call);

/* Let a stream (a CUstream or cudaStream_t, NULL for the default one) compute outputs and new
   state after all that it was given before, and return at once. Any number of threads may call
   it at once, each with its own outputs and state that comes out; they may share `prepared`.
   Calls with one arena must follow each other on one stream. What a call launches is a CUDA
   graph that belongs to its arena: a call that launches the same kernels as an earlier one with
   that arena changes the nodes whose addresses or sizes differ. Another order of kernels makes
   a graph; an arena keeps those of the last four, and all arenas together 64.
   A stream that is being captured is refused with LXC_EDEVICE.
   Returns what prepare does; in all cases but LXC_OK nothing was launched. A failure on the
   card shows in a later call, or in one of CUDA's own functions. */
int32_t NAME_enqueue(const NAME_call *call, void *stream);

/* Do what enqueue does on the default stream, and return when all of that is done. */
int32_t NAME_run(const NAME_call *call);

/* Memory and streams for those who do not use CUDA otherwise. Never fails. */
const lxc_card *NAME_card(void);
