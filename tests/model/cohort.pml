/* SPDX-License-Identifier: Apache-2.0
 * cohort.pml - one secure-aggregation cohort, join to reveal, against a server that lies.
 *
 * Written beside firmware/secagg*.c and participate.c: each device is one process that makes the
 * five requests in their order, journal before bytes, with the checks of the code. The server is
 * not a process: it is the nondeterminism in what a device is answered. It knows every byte a
 * device ever sent (it can therefore delay, reorder, repeat and forget at will), signs whatever it
 * likes with its own key, and cannot make a device's signature. README.md says what is left out.
 *
 * Parameters: N devices of which the last A (0 or 1) collude, T = t_v, MIN = n_min; POLLS, how
 * often a device asks again before its deadline; PROPERTIES, a bit for each HOLDS below;
 * ORDERED, EXACT_OPENED, HUNT and BROKEN_*: see README.md. */
#ifndef POLLS
#define POLLS 0
#endif
#ifndef PROPERTIES
#define PROPERTIES 255
#endif
/* Rosters the server may show for the same joins: devices of two rosters have two sessions. */
#ifndef ROSTERS
#define ROSTERS 2
#endif

#define H (N - A) /* honest devices: 0 .. H - 1 */
#define ALL ((1 << N) - 1)
#define HONEST ((1 << H) - 1)
#define BIT(set, i) (((set) >> (i)) & 1)
#define COUNT(x) (BIT(x, 0) + BIT(x, 1) + BIT(x, 2) + BIT(x, 3) + BIT(x, 4) + BIT(x, 5))
#define HOLDS(property, fact) assert(!BIT(PROPERTIES, property) || (fact))
#define P_ONE_KIND 0   /* never both kinds of one owner, never about itself */
#define P_RESTART 1    /* no reveal after a restart */
#define P_NOT_BOTH 2   /* t shares of s and t of b of one honest device: never */
#define P_AGREED 3     /* no reveal without n_min survivors and t neighbours who signed the same */
#define P_SUM 4        /* an opened sum holds at least n_min - A honest vectors */
#define P_JOURNAL 5    /* bytes leave only after their commit, and each request once a round */
#define P_ENDS 6       /* a device's last phase is DONE or LEFT */
#define P_NO_SUM 7     /* false on purpose, with NO_SUM only: nothing is ever opened */

/* What the server has got of each device, in the order in which it is sent. */
#define NOTHING 0
#define JOINED 1
#define SHARED 2
#define MASKED 3
#define SIGNED 4

byte sent[N];    /* the last of these */
byte roster[N];  /* of the session it shared in */
byte seen_u2[N]; /* U2 its session2, hence its masks and its agree, are bound to */
byte seen_u3[N]; /* U3 it signed */
byte gave_s[N];  /* owners of whom it revealed a share of s */
byte gave_b[N];  /* ... of b */
byte ended;      /* devices */

/* ---- the device ------------------------------------------------------------------------------ */

#define JOIN 0
#define SHARE 1
#define MASK 2
#define AGREE 3
#define REVEAL 4
#define DONE 5
#define LEFT 6

#define J_USED 1    /* journal (1): round used */
#define J_CHARGED 2 /* journal (2): the charge */
#define J_KEPT 4    /* journal (3): H(root, U2, U3) */

/* ORDERED: devices go one after the other up to their agree, then one after the other from there.
 * Up to agree no step of a device depends on another device, and what lets one reveal (that others
 * signed) never ceases to hold, so each run has a run in this order where the same is sent and the
 * same or more is revealed (run.sh compares the outcomes for small cohorts). Of runs that differ in
 * the honest devices' or the rosters' names one is kept: the first device sees roster 0, and the
 * devices come in falling order of RANK. */
#ifdef ORDERED
byte turn;
short last_rank = 32767;
#define MY_TURN (turn == me + half * H)
#define RANK \
    (((sent[me] * 8 + COUNT(seen_u2[me])) * 8 + COUNT(seen_u3[me])) * 2 + 1 - roster[me])
#define NEXT_DEVICE                                     \
    RANK <= last_rank && (me > 0 || roster[me] == 0) -> \
        last_rank = (turn + 1 < H -> RANK : 0);         \
        turn++;                                         \
        half = 1
#else
#define MY_TURN true
#endif

/* Any set of devices, as a bitmap. */
inline any_set(set) {
    set = 0;
    if :: true :: set = set | 1 fi;
    if :: true :: set = set | 2 fi;
    if :: true :: set = set | 4 fi;
#if N > 3
    if :: true :: set = set | 8 fi;
#endif
#if N > 4
    if :: true :: set = set | 16 fi;
#endif
#if N > 5
    if :: true :: set = set | 32 fi;
#endif
}

/* The wait for the answer of a phase. What may happen: asked to poll again; the answer never comes,
 * is refused, breaks off, has a bad signature, is a second one or another phase's, the deadline
 * passes, the storage fails: the device leaves; it crashes; or an answer of this phase comes. */
#ifdef BROKEN_DEADLINE
#define MAY_POLL true
#else
#define MAY_POLL polls < POLLS -> polls++
#endif
/* HUNT: a counterexample is looked for among runs without refusals and failures only. */
#ifdef HUNT
#define MAY_FAIL false
#define MAY_CRASH (phase == REVEAL && !restarted)
#else
#define MAY_FAIL true
#define MAY_CRASH true
#endif
#define WAIT_ANSWER(again)                                      \
    if                                                          \
    :: MAY_POLL; goto again                                     \
    :: MAY_FAIL -> goto leave                                   \
    :: MAY_CRASH -> goto crash                                  \
    :: phase_of_answer = phase                                  \
    :: MAY_FAIL -> phase_of_answer = (phase + REVEAL) % DONE    \
    fi;                                                         \
    if                                                          \
    :: phase_of_answer != phase -> goto leave                   \
    :: else -> polls = 0                                        \
    fi

/* A commit that may fail; the crash between commit and bytes is one of the ways to leave. */
inline commit(mark) {
    if
    :: MAY_FAIL -> goto leave
    :: journal = journal | mark
    fi;
    if
    :: MAY_CRASH -> goto crash
    :: true
    fi
}

/* tacit_secagg_bitmap_check: own bit, n_min, t_v neighbours. */
#ifdef BROKEN_MINIMUM
#define ENOUGH(set) 1
#else
#define ENOUGH(set) (COUNT(set) >= MIN)
#endif
#define BITMAP_GOOD(set) (BIT(set, me) && ENOUGH(set) && COUNT(set) - 1 >= T)

/* Did m sign what this device would sign? A colluder signs anything. */
#define AGREES(m)                                                                      \
    ((m) >= H || (sent[m] == SIGNED && roster[m] == my_roster && seen_u2[m] == my_u2 && \
                  seen_u3[m] == my_u3))

proctype Device(byte me) {
    byte phase = JOIN, polls, phase_of_answer, set, i;   /* RAM */
    byte my_roster, my_u2, my_u3, opened;                /* RAM */
    byte journal;                                        /* durable */
    bool restarted, bad;
#ifdef ORDERED
    byte half;
#endif

join:
    atomic {
        MY_TURN;
        phase = JOIN;
        commit(J_USED);
        HOLDS(P_JOURNAL, (journal & J_USED) && sent[me] == NOTHING);
        sent[me] = JOINED
    };

join_wait:
    atomic {
        MY_TURN;
        WAIT_ANSWER(join_wait);
        /* One roster, whichever the server shows; every entry is signed by its device. */
        if
        :: my_roster = 0
#if ROSTERS > 1
        :: my_roster = 1
#endif
        fi;
        phase = SHARE;
        sent[me] = SHARED;
        roster[me] = my_roster
    };

share_wait:
    atomic {
        MY_TURN;
        WAIT_ANSWER(share_wait);
        any_set(set);
        if
        :: !BITMAP_GOOD(set) -> goto leave
        :: else -> my_u2 = set
        fi;
        set = 0;
#ifdef EXACT_OPENED
        /* The ciphertexts that exist by now and were sealed under this session. Fewer may come. */
        d_step {
            i = 0;
            do
            :: i == N -> break
            :: i < H && i != me && BIT(my_u2, i) && sent[i] >= SHARED && roster[i] == my_roster ->
                opened = opened | (1 << i); i++
            :: else -> i++
            od;
            i = 0
        };
#endif
        phase = MASK;
        commit(J_CHARGED);
        HOLDS(P_JOURNAL, (journal & J_CHARGED) && sent[me] == SHARED);
        sent[me] = MASKED;
        seen_u2[me] = my_u2
    };

mask_wait:
    atomic {
        MY_TURN;
        WAIT_ANSWER(mask_wait);
        any_set(set);
        if
        :: !BITMAP_GOOD(set) || (set & ~my_u2) != 0 -> goto leave
        :: else -> my_u3 = set
        fi;
        set = 0;
        phase = AGREE;
        commit(J_KEPT);
        HOLDS(P_JOURNAL, (journal & J_KEPT) && sent[me] == MASKED);
        sent[me] = SIGNED;
        seen_u3[me] = my_u3;
#ifdef ORDERED
        NEXT_DEVICE
#endif
    };

agree_wait:
    atomic {
        MY_TURN;
        WAIT_ANSWER(agree_wait);
        any_set(set); /* whose signatures the answer holds */
#ifndef BROKEN_AGREE
        if
        :: BIT(set, me) || (set & ~my_u3) != 0 || COUNT(set) < T -> goto leave
        :: else
        fi;
        d_step {
            i = 0;
            do
            :: i == N -> break
            :: i < N && BIT(set, i) && !AGREES(i) -> bad = true; i = N
            :: else -> i++
            od;
            i = 0
        };
        if
        :: bad -> bad = false; goto leave
        :: else
        fi;
#endif
        set = 0;
        phase = REVEAL;
        d_step {
            /* What the properties ask is counted anew, from what was really signed. */
            i = 0;
            do
            :: i == N -> break
            :: i < N && i != me && BIT(my_u3, i) && AGREES(i) -> set++; i++
            :: else -> i++
            od;
            HOLDS(P_AGREED, COUNT(my_u3) >= MIN && set >= T);
            set = 0;
#ifndef EXACT_OPENED
            opened = HONEST & ~(1 << me);
#endif
            i = 0;
            do
            :: i == H -> break
            :: i < H && BIT(opened & my_u2, i) && sent[i] >= SHARED && roster[i] == my_roster ->
                if
                :: BIT(my_u3, i) -> gave_b[me] = gave_b[me] | (1 << i)
                :: else -> gave_s[me] = gave_s[me] | (1 << i)
                fi;
                i++
            :: else -> i++
            od;
            i = 0;
            HOLDS(P_ONE_KIND, (gave_s[me] & gave_b[me]) == 0 && !BIT(gave_s[me] | gave_b[me], me));
            HOLDS(P_RESTART, !restarted);
#ifndef BROKEN_RESTART
            my_roster = 0; /* every secret is gone when the request returns */
            my_u2 = 0;
            my_u3 = 0;
            opened = 0
#endif
        }
    };

reveal_wait:
    atomic {
        MY_TURN;
        WAIT_ANSWER(reveal_wait);
        phase = DONE;
        goto out
    };

/* Power is lost and comes back. RAM is empty; the journal knows whether it joined. */
crash:
    atomic {
#ifdef BROKEN_RESTART
        /* The secrets were on disk: the device goes on with its round, at U3. */
        if
        :: !restarted && phase >= AGREE ->
            restarted = true;
            my_u3 = 0;
            polls = 0;
            phase = MASK;
            sent[me] = MASKED;
            seen_u3[me] = 0;
            goto mask_wait
        :: else
        fi;
#endif
        phase = JOIN;
        my_roster = 0;
        my_u2 = 0;
        my_u3 = 0;
        opened = 0;
        polls = 0;
#ifdef BROKEN_JOURNAL
        if
        :: !restarted -> restarted = true; goto join
        :: else
        fi;
#else
        restarted = true;
        if
        :: journal & J_USED
        :: else -> goto join
        fi;
#endif
    leave:
        phase = LEFT;
    out:
        HOLDS(P_ENDS, phase == DONE || phase == LEFT);
        phase = LEFT; /* from here on nothing of the device matters any more */
        my_roster = 0;
        my_u2 = 0;
        my_u3 = 0;
        opened = 0;
        set = 0;
        polls = 0;
        phase_of_answer = 0;
        journal = 0;
        restarted = false;
#ifdef ORDERED
        if
        :: half == 0 -> NEXT_DEVICE
        :: else
        fi
    };
    atomic {
        MY_TURN;
        turn++;
#endif
        ended++
    }
}

/* ---- what the server can read in the end ----------------------------------------------------- */

/* Shares it has of one secret of device i: revealed ones, and the colluder's since i dealt. */
#define HAS(gave, i)                                                                        \
    (BIT(gave[0], i) + BIT(gave[1], i) + BIT(gave[2], i) + FOURTH(gave, i) + FIFTH(gave, i) + \
     (sent[i] >= SHARED && A))
#if N > 3
#define FOURTH(gave, i) BIT(gave[3], i)
#else
#define FOURTH(gave, i) 0
#endif
#if N > 4
#define FIFTH(gave, i) BIT(gave[4], i)
#else
#define FIFTH(gave, i) 0
#endif

/* The masks device i put on for its neighbour j do not hide the vectors of `sum`: j colludes, or
 * one of the two mask secrets is open, or both are in the sum under one session2 and cancel. */
#define UNMASKED(i, j)                                                               \
    ((j) >= H || BIT(open_s, i) || BIT(open_s, j) ||                                 \
     (BIT(sum, j) && sent[j] >= MASKED && roster[i] == roster[j] && seen_u2[i] == seen_u2[j]))

init {
    byte i, j, sum, open_s, open_b;
    bool readable;
    atomic {
        run Device(0);
        run Device(1);
#if N - A > 2
        run Device(2);
#endif
#if N - A > 3
        run Device(3);
#endif
#if N - A > 4
        run Device(4);
#endif
    }
    /* What the server knows only grows, so it is enough to look when every device has ended. */
    d_step {
        ended == H;
#ifdef PRINT_OUTCOMES
        c_code {
            printf("outcome");
            for (int k = 0; k < H; k++)
                printf(" %d,%d,%d,%d,%d,%d", now.sent[k], now.roster[k], now.seen_u2[k],
                       now.seen_u3[k], now.gave_s[k], now.gave_b[k]);
            printf("\n");
        };
#endif
        i = 0;
        do
        :: i == H -> break
        :: i < H ->
            open_s = open_s | ((HAS(gave_s, i) >= T) << i);
            open_b = open_b | ((HAS(gave_b, i) >= T) << i);
            i++
        od;
        HOLDS(P_NOT_BOTH, (open_s & open_b) == 0);
        /* Every set of honest vectors: can the sum of just these be read? A combination with other
         * coefficients is made of such sums, since masks cancel only between equal ones. */
        sum = 1;
        do
        :: sum > HONEST -> break
        :: else ->
            readable = ((sum & ~open_b) == 0);
            i = 0;
            do
            :: i == H || !readable -> break
            :: i < H && readable && BIT(sum, i) ->
                readable = (sent[i] >= MASKED);
                j = 0;
                do
                :: j == N -> break
                :: j < N && j != i && BIT(seen_u2[i], j) && !UNMASKED(i, j) ->
                    readable = false; j = N
                :: else -> j++
                od;
                i++
            :: else -> i++
            od;
            HOLDS(P_SUM, !readable || COUNT(sum) >= MIN - A);
#ifdef NO_SUM
            HOLDS(P_NO_SUM, !readable || COUNT(sum) != NO_SUM);
#endif
            sum++
        od;
        i = 0; j = 0; sum = 0; open_s = 0; open_b = 0; readable = false
    }
}
