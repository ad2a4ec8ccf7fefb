/* The constants of the model, which follow the params in every table of them: as many as
   UPPER_CONSTANT_COUNT pointers. They belong to the library. Any number of threads
   may call it at once. Never fails. */
const void *const *NAME_constants(void);
