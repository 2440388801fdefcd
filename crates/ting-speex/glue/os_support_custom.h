/* What libspeex asks of its surroundings where ours differ from its defaults: it prints nothing, and
   above all never ends the process, which serves other people's tasks as well. */
#ifndef OS_SUPPORT_CUSTOM_H
#define OS_SUPPORT_CUSTOM_H

/* Its default calls exit(1). The decoder has two assertions (nb_celp.c), both that a submode has a
   function; submodes 1 to 8 of modes.c all have both, and nb_decode() refuses every other number. */
#define OVERRIDE_SPEEX_FATAL
static inline void _speex_fatal(const char *message, const char *file, int line)
{
   (void)message;
   (void)file;
   (void)line;
}

#define OVERRIDE_SPEEX_WARNING
static inline void speex_warning(const char *message)
{
   (void)message;
}

#define OVERRIDE_SPEEX_WARNING_INT
static inline void speex_warning_int(const char *message, int value)
{
   (void)message;
   (void)value;
}

#define OVERRIDE_SPEEX_NOTIFY
static inline void speex_notify(const char *message)
{
   (void)message;
}

/* For characters sent in band; their handler is never registered. */
#define OVERRIDE_SPEEX_PUTC
static inline void _speex_putc(int ch, void *file)
{
   (void)ch;
   (void)file;
}

#endif
