/* SPDX-License-Identifier: MIT */
/* Messages longer than the ring (src/channel/send.c, take_long.c) as a model for spin: two senders that send one message
 * of several parts each, two receivers, and kill -9 between any two stores, also in the middle of a message.
 *
 * The names are those of layout.h. A position counts parts. A sender whose time is up gives the lock back in the middle
 * of its message. Then it goes on, unless another sender has dropped the message, or it leaves. channel.pml has locks,
 * sleeping and burying step by step; here a lock of a dead peer is broken in one step, and a wait ends when its test is
 * true.
 *
 * What must hold, whoever is killed where:
 *   - nobody waits for ever
 *   - what is delivered are all parts of one message, in their order
 *   - if a receiver lives to see the end, each message whose last part was sent has been delivered, once, or was being
 *     received by a peer that was killed
 *
 * Each FAULT_... is a mistake that tests/model/run has to find. */
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#define PARTS  2
#define PEERS  4
#define NOBODY 0 /* owners are place + 1 */

byte sender_lock, receiver_lock, tail, next;
byte sending, stream, reading;
byte slot_id[SLOTS], slot_part[SLOTS], slot_sender[SLOTS];
bool present[PEERS], alive[PEERS], finished[PEERS];
byte crashes;
bool was_sent[2], delivered[2], lost[2]; /* What an auditor knows of the message of each sender. */

#define AT(position) ((position) % SLOTS)
#define SENDERS_GONE (!present[0] && !present[1])
#define RECEIVERS_GONE (!present[2] && !present[3])
#define DEAD(peer) (present[peer] && !alive[peer])
#define SOME_DEAD (DEAD(0) || DEAD(1) || DEAD(2) || DEAD(3))
#define KILL if :: crashes < CRASHES -> crashes++; goto dead :: true fi

inline break_locks(who)
{
    atomic {
        if :: sender_lock == who + 1 -> sender_lock = NOBODY :: else fi;
        if :: receiver_lock == who + 1 -> receiver_lock = NOBODY :: else fi
    }
}

/* peers.c. A sender that was killed before it sent the first part has sent nothing, so the next message begins at the
 * same position and has the same number. So its message is dropped before its lock is broken. */
inline bury(who)
{
#ifdef FAULT_LOCK_FIRST
    break_locks(who);
#endif
    atomic { seen = stream };
    if
    :: atomic { seen && sending == who + 1 };
#ifdef FAULT_DROPPED_UNSEEN
        atomic { stream = 0 }
#else
        atomic { if :: stream == seen -> stream = 0 :: else fi }
#endif
    :: atomic { else }
    fi;
#ifndef FAULT_LOCK_FIRST
    break_locks(who);
#endif
    atomic {
        seen = 0;
#ifndef FAULT_READER_STAYS
        if :: reading == who + 1 -> reading = 0 :: else fi;
#endif
        present[who] = false
    }
}

/* One peer at a time buries, as the kernel's lock on the place sees to. */
bool burying;
inline bury_some()
{
    burying = true;
    look = 0;
    do
    :: look < PEERS && DEAD(look) -> break
    :: look < PEERS && !DEAD(look) -> look++
    :: look == PEERS -> break
    od;
    if :: look < PEERS -> bury(look) :: else fi;
    atomic { look = 0; burying = false }
}

/* Waits until the test is true, and buries meanwhile. Who buries is not killed here: channel.pml kills it. */
inline wait_for(test)
{
    do
    :: atomic { test -> break }
    :: atomic { !(test) && SOME_DEAD && !burying -> burying = true };
        bury_some()
    od
}

proctype sender(byte me)
{
    byte at, first, look, seen;
    bool begun, late;
again:
    wait_for(sender_lock == NOBODY || RECEIVERS_GONE);
    if
    :: atomic { sender_lock == NOBODY -> sender_lock = me + 1; KILL }
    :: atomic { sender_lock != NOBODY && RECEIVERS_GONE -> goto leave }
    :: atomic { sender_lock != NOBODY && !RECEIVERS_GONE -> goto again }
    fi;
    /* look_at_begun */
    if
    :: atomic { stream != 0 && begun && stream == first + 1 }
    :: atomic { stream != 0 && !(begun && stream == first + 1) -> begun = false; stream = 0; KILL }
    :: atomic { stream == 0 -> begun = false }
    fi;
    atomic {
        if :: !begun -> first = tail; at = 0 :: else fi;
#ifdef FAULT_STREAM_FIRST
        stream = first + 1
    };
    atomic { KILL; sending = me + 1; KILL };
#else
        sending = me + 1;
        KILL
    };
    atomic { stream = first + 1; KILL };
#endif
    do
    :: atomic { at < PARTS && at > 0 && !late -> late = true; begun = true; sender_lock = NOBODY; KILL };
        if
        :: goto again
        :: atomic { if :: stream == first + 1 -> stream = 0 :: else fi; KILL; goto leave } /* send_forget */
        fi
    :: atomic { at < PARTS };
        wait_for(tail - next < SLOTS || RECEIVERS_GONE);
        if
        :: atomic { RECEIVERS_GONE -> stream = 0; KILL; sender_lock = NOBODY; goto leave }
        :: atomic { !RECEIVERS_GONE };
        fi;
        atomic { slot_id[AT(tail)] = first; slot_part[AT(tail)] = at; slot_sender[AT(tail)] = me; KILL };
        atomic { tail++; at++; was_sent[me] = (at == PARTS); KILL }
    :: atomic { at == PARTS -> break }
    od;
    atomic { stream = 0; KILL };
    atomic { sender_lock = NOBODY; KILL };
leave:
    atomic { present[me] = false; finished[me] = true; goto out };
dead:
    atomic { alive[me] = false };
out:
    skip
}

/* The message is that of the sender `whose`; `got` parts of it are here. */
proctype receiver(byte me)
{
    byte id, got, whose, look, seen;
    bool goes_on, drained;
    do
    :: true ->
        wait_for((reading == 0 && tail != next) || (SENDERS_GONE && reading == 0 && tail == next));
        wait_for(receiver_lock == NOBODY);
        if
        :: atomic { receiver_lock == NOBODY -> receiver_lock = me + 1; KILL }
        :: atomic { else -> goto next_round }
        fi;
        do /* take_look: parts whose beginning nobody has are passed over */
        :: atomic { reading == 0 && tail != next && slot_part[AT(next)] > 0 -> next++; KILL }
        :: atomic { !(reading == 0 && tail != next && slot_part[AT(next)] > 0) -> break }
        od;
        if
        :: atomic { reading == 0 && tail == next && SENDERS_GONE -> receiver_lock = NOBODY; break }
        :: atomic { (reading != 0 || tail == next) && !(reading == 0 && tail == next && SENDERS_GONE) ->
            receiver_lock = NOBODY;
            KILL;
            goto next_round
        }
        :: atomic { reading == 0 && tail != next -> id = next; whose = slot_sender[AT(next)]; reading = me + 1; KILL }
        fi;
        atomic { next++; got = 1; if :: crashes < CRASHES -> crashes++; lost[whose] = true; goto dead :: true fi };
        atomic { receiver_lock = NOBODY };
        do
        :: atomic { got == PARTS -> break }
        :: atomic { got < PARTS };
            wait_for(tail != next || stream != id + 1); /* take_part_test */
            wait_for(receiver_lock == NOBODY);
            if
            :: atomic { receiver_lock == NOBODY -> receiver_lock = me + 1 }
            :: atomic { else -> goto next_part }
            fi;
            atomic { goes_on = (stream == id + 1) };
            atomic { drained = (tail == next) };
            if
            :: atomic { drained && goes_on }
            :: atomic { (drained && !goes_on) || (!drained && (slot_part[AT(next)] == 0 || slot_id[AT(next)] != id)) ->
                got = 0; /* its sender has dropped it, or is dead */
                reading = 0;
                receiver_lock = NOBODY;
                goto next_round
            }
            :: atomic { !drained && slot_part[AT(next)] > 0 && slot_id[AT(next)] == id ->
                assert(slot_part[AT(next)] == got && slot_sender[AT(next)] == whose);
                next++;
                got++;
                if :: crashes < CRASHES -> crashes++; lost[whose] = true; goto dead :: true fi;
                if :: got == PARTS -> reading = 0 :: else fi
            }
            fi;
            atomic { receiver_lock = NOBODY };
next_part:
            skip
        od;
        atomic { assert(!delivered[whose]); delivered[whose] = true };
next_round:
        atomic { got = 0; id = 0; whose = 0; goes_on = false; drained = false }
    od;
    atomic { present[me] = false; finished[me] = true; goto out };
dead:
    atomic { alive[me] = false };
out:
    skip
}

#define ENDED(peer) (finished[peer] || !alive[peer])

init
{
    byte i;
    atomic {
        do
        :: i < PEERS -> alive[i] = true; present[i] = true; i++
        :: else -> break
        od;
        run sender(0);
        run sender(1);
        run receiver(2);
        run receiver(3)
    }
    ENDED(0) && ENDED(1) && ENDED(2) && ENDED(3);
    assert(!(finished[2] || finished[3]) ||
           ((!was_sent[0] || delivered[0] || lost[0]) && (!was_sent[1] || delivered[1] || lost[1])))
}
