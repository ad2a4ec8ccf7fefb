
/* The card that a model runs on. All functions but use may be called by any thread; they return
   LXC_OK, LXC_EDEVICE or LXC_EMEMORY, and open the driver if no call has yet. A stream is NULL
   for the default one. */
#ifndef LXC_CARD_1
#define LXC_CARD_1
typedef struct lxc_card {
    uint32_t size; /* sizeof(lxc_card) */
    uint32_t version;
    /* Let the model run on the card of this number, before any other call. */
    int32_t (*use)(int32_t number);
    /* Memory on the card, aligned to 256 bytes. release waits for all work on the card. */
    int32_t (*allocate)(int64_t bytes, void **memory);
    int32_t (*release)(void *memory);
    /* Memory of the host that copies reach without the host's help. */
    int32_t (*allocate_host)(int64_t bytes, void **memory);
    int32_t (*release_host)(void *memory);
    /* Copies on a stream: to the card, from it, on it. They may return before they are done:
       memory of the host is free again, or filled, when wait has returned for the stream. */
    int32_t (*upload)(void *memory, const void *host, int64_t bytes, void *stream);
    int32_t (*download)(void *host, const void *memory, int64_t bytes, void *stream);
    int32_t (*copy)(void *to, const void *from, int64_t bytes, void *stream);
    /* Wait on the host for a stream, or for all work on the card. */
    int32_t (*wait)(void *stream);
    int32_t (*wait_for_all)(void);
    /* An event marks the end of what a stream was given so far; *event is NULL or an event
       to use again. follow lets a stream wait for it. */
    int32_t (*mark)(void *stream, void **event);
    int32_t (*follow)(void *stream, void *event);
    int32_t (*has_passed)(void *event, int32_t *passed);
    int32_t (*forget)(void *event);
    /* Wait for all work, and give back the kernels and graphs of the model. No other call of
       it may be going on; the next one loads them again. A context that the caller created is
       forgotten, and may go; the next call looks for the current one again. */
    int32_t (*close)(void);
} lxc_card;
#endif
