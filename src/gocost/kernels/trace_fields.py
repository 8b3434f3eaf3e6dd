"""The tables that a generation of an execution trace is carried out with, by their columns.

All are int64 and flat: a row of `goroutines` stands at 16 times its number. Piece of trace_run and
trace_bins.
"""

# What `run` returns; below 0 is an error.
DONE = 0
NEED = 1  # threads have come to the end of the batches that were read
FULL_GOROUTINES = 3
FULL_ENDED = 4
FULL_MARKS = 5
FULL_PROCS = 6
FULL_PAIRS = 7
FULL_RECORDS = 8
# What ends the run of one thread is AT_END, NOT_READY, a FULL_ code, or one of the errors.
AT_END = 1  # of the batches that were read
NOT_READY = 2
MALFORMED = -1
NO_SUCH_EVENT = -2
NO_PROC = -3
NO_GOROUTINE = -4
RUNS_ANOTHER = -5
NOT_ALLOWED = -6
EXISTS = -7
NO_SUCH_STATUS = -8
CONTRADICTED = -9
PROC_NOT_ALLOWED = -10
NOT_ITS_PROC = -11
NOT_IN_TABLE = -12
UNORDERED = -13
TOO_LARGE = -14
NO_COLLECTION = -15
TOO_MANY_REASONS = -16
TANGLED = -17
FEW_TRIES = 4
"""Times that threads are tried again, for each event and each thread, beyond which it is looked up
who waits for what. Mostly one event in fifty waits for another thread, once.
"""
MOST_TRIES = 64
"""Times of either kind that a trace is refused beyond. Of 9,000 locked threads in a ring, each of
which wakes the next, it is 1.3 an event; Go has no more than 10,000 unless it is told to.
"""

# Fields of `threads`: eight numbers a thread that has batches.
T_AT = 0  # where in the data its next event is
T_END = 1
T_TIME = 2  # nanoseconds of the event before
T_G = 3  # where in `goroutines` its goroutine stands
T_P = 4  # its P
T_ID = 5
T_STATUS = 6
T_MORE = 7  # batches of it that were read ahead
THREAD_FIELDS = 8
# Batches that were read ahead: AHEAD rows a thread, of which the last T_MORE are still to come.
A_START = 0
A_END = 1
A_TIME = 2
AHEAD_FIELDS = 4
AHEAD = 8
READY = 0
NEEDS = 1
PARKED = 2
OUT = 3
NONE = -1
UNKNOWN = -2  # nothing has been said of it in this generation

# Fields of `goroutines`: sixteen numbers a goroutine that lives, two lines of cache.
G_ID = 0  # -1 where the row is free
G_STATE = 1  # of a free row: -1 less the next free one, which is no state
G_SEQ = 2
G_SINCE = 3
G_PLACE = 4  # where and why it entered the state: reason << 32 | stack
# The reason of a coroutine is the number of texts, one more than any of them has.
G_LEFT = 5  # when it left the state that its status gave: NOT_YET, or NOT_OPEN where it began here
G_FIRST = 6  # that state, 0 where it was created in this generation
G_START = 7  # the stack it was created to start with; below 0: less a stack that it was seen in
G_SUMS = 7  # plus a state of 1 to 4: the signed sum of nanoseconds
G_STARTS = 12
G_ASSIST = 13  # since when it assists the collector, NOT_OPEN where it does not
G_ASSISTED = 14
G_CREATOR = 15  # the stack that created it
GOROUTINE_FIELDS = 16
NOT_YET = -1
NOT_OPEN = -2
RUNNABLE = 1
RUNNING = 2
SYSCALL = 3
WAITING = 4

# Fields of `procs`: sixteen numbers a P.
P_STATE = 0
P_SEQ = 1
P_SINCE = 2
P_SUMS = 2  # plus a state of 1 to 3
P_FIRST = 6
P_SWEEP = 8
P_SWEPT = 9
P_THREAD = 10
P_SWEPT_OLD = 11  # a sweep that began before the generation ended in it
PROC_FIELDS = 16
P_RUNNING = 1
P_IDLE = 2
P_SYSCALL = 3
P_ABANDONED = 4

# Fields of `groups`, eight a start stack: goroutines that were created and ended here.
B_COUNT = 0
B_SUMS = 0  # plus a state
B_STARTS = 5
B_ASSISTED = 6
B_UNNAMED = 7  # what the stack begins in has no name; set before the kernel runs
GROUP_FIELDS = 8

# Fields of `intervals`: a row for each of three states (runnable, syscall, waiting) of each stack,
# of its first reason; rows of its other reasons stand behind all those and are linked.
I_COUNT = 0
I_TOTAL = 1
I_MOST = 2
I_REASON = 3  # row of the next reason, 0 for none, << 32 | reason
INTERVAL_FIELDS = 4
REASON = 0x7FFFFFFF
MAX_REASONS = 64
"""Reasons of one stack: Go has about thirty in all."""
ROOM = 4
"""Rows of `intervals` and `records` that one event may add."""

# Fields of `records`: everything that took a time, in the order in which it ended.
R_KIND = 0  # a state of a goroutine, or one of these, or R_PROC plus a state of a P
R_WHO = 1  # the goroutine's id, or the P
R_START = 2  # below 0: it began before the generation
R_END = 3
R_PLACE = 4  # G_PLACE; of running G_ASSIST, of R_ASSIST since when it runs, of R_CREATED its start
R_PROC_ON = 5  # the P it happened on, -1 for none
R_THREAD_ON = 6  # the thread it happened on
R_OF = 7  # G_START; of R_CREATED the creator's stack
RECORD_FIELDS = 8
R_ASSIST = 5
R_CREATED = 6
R_ENDED = 7
R_PROC = 8
R_SWEEP = 13

# Fields of `marks`: events that are few and are looked at one by one.
MARK_FIELDS = 10  # time, type, thread, goroutine, P, five arguments

# Places in `scalars`.
S_HEAD = 0  # of the queue
S_QUEUED = 1
S_PARKED = 2
S_PROGRESS = 3
S_FREE = 4  # the first free row of goroutines, linked by G_STATE; -1 where all are taken
S_LIVE = 5
S_ENDED = 6
S_MARKS = 7
S_EVENTS = 8
S_LAST = 9
S_INITIAL = 11  # this is the first generation
S_SEED = 12
S_KEEP = 13  # keep goroutines that end, those that ran longer than S_LEAST
S_FAULT = 14  # the thread of an error
S_PARKS = 15
S_BINS_FROM = 16
S_BIN = 17  # nanoseconds a bin
S_CREATED = 18
S_LEAST = 19
S_MASK = 20  # of the hash table
S_THREADS = 21
S_STACKS = 22
S_TEXTS = 23
S_PROCS = 24
S_BINS = 25
S_ROOM_ENDED = 26
S_ROOM_MARKS = 27
S_ROOM_PAIRS = 28
S_ROOM_RECORDS = 29
S_PAIRS = 30  # rows of `intervals` that are used
S_RECORDS = 31
S_RECORDING = 32  # `records` are wanted
S_CLIPPING = 33  # only what lies between the two times counts
S_FROM = 34
S_TO = 35
S_GC_SEQ = 36  # of the collector's event before
S_GC_STATE = 37  # 0 before it is known
S_GC_FIRST = 38  # of the first one
S_GC_BEFORE = 39  # the state before that one
S_REASONS = 40  # a stack has too many reasons
S_SHIFT = 41  # 64 less the bits of the hash table's numbers
S_TRIED = 42  # how often a thread was tried again
S_WAKING = 43  # that is often: threads are found by what they wait for
S_WAIT_SHIFT = 44  # 31 less the bits of their heads' numbers
S_RAN_FROM = 45  # where the thread that goes on was, and what it had
S_RAN_G = 46
S_RAN_P = 47
SCALARS = 48
GC_RUNNING = 1
GC_IDLE = 2
