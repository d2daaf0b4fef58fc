/* SPDX-License-Identifier: MIT */
/* The protocol of src/channel as a model for spin: two senders, two receivers, and kill -9 between any two steps.
 *
 * A step is what the code does by one store or one atomic operation on the shared memory, under the names it has there
 * (layout.h). A record is one message, a position counts records. Receiver 2 copies messages out (receive), receiver 3
 * is shown them and releases them (acquire). Whoever finds a dead peer does for it what peers.c and recover.c do, and
 * may be killed while doing that. KILL stands between steps. Steps in one `atomic` are those that nobody can see one by
 * one, because they are under a lock: others see them only if their owner dies there, and KILL stands between them, too.
 *
 * What must hold, whoever is killed where:
 *   - nobody waits for ever. A sleep ends by itself only where somebody dead has not been buried, or died while he
 *     left, so a wake-up that is lost without a crash is a deadlock here
 *   - no message is delivered after somebody was done with it, none a second time without LEAT_MESSAGE_AGAIN, none that
 *     was not sent, and none before an earlier one of its sender
 *   - if a receiver lives to see the end, every message that was sent has been delivered, or was in the hands of a
 *     `receive` that was killed, and these are as many as are counted as lost
 *   - what the lanes count as sent and received is true
 *
 * Not in it: orders of memory (spin knows only one), messages longer than the ring (half.pml has them), several threads
 * of one handle. Who waits for a lock sleeps for 10 ms at most, so waking him is only for speed, and left out.
 *
 * Each FAULT_... is a mistake that could be made, or was; tests/model/run checks that every one of them is found. */
#ifndef CRASHES
#define CRASHES 1
#endif
#define SENDERS  2
#define PEERS    4
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef FIRST
#define FIRST 1 /* messages of sender 0; sender 1 has one */
#endif
#ifndef CAME_BACK
#define CAME_BACK 0 /* 1: at the beginning sender 0 has sent its first message, and somebody who left had it */
#endif
#define MESSAGES (FIRST + 1)
#define COUNT_OF(sender) ((sender) == 0 -> FIRST : 1)
#define ACQUIRES(peer)   ((peer) == 3)
#define NOBODY 0 /* owners are place + 1 */

mtype = { READY, HELD, BACK, DONE };
mtype = { INTENT_NONE, INTENT_NEXT, INTENT_STATE };
mtype = { AWAKE, LOOKED, ASLEEP };

/* The shared memory. */
byte sender_lock, receiver_lock;
byte tail, next, head;
byte sent, intent_sent, intent_tail;
byte received, intent_received, intent_position, intent_taken;
byte again, held;
mtype intent = INTENT_NONE;
byte slot_message[SLOTS], slot_place[SLOTS];
mtype slot_state[SLOTS] = READY;
bit slot_again[SLOTS];
byte taken[PEERS], returned[PEERS];
bool present[PEERS]; /* the place is not free */
bool filled_sleeps, freed_sleeps;

/* The kernel's: who has the lock on a place, and who sleeps. A word that was counted up since a sleeper looked at it
 * sends him back, so that is what counting up does here: LOOKED becomes AWAKE. */
byte kernel_lock[PEERS];
mtype sleeper[PEERS] = AWAKE;
bool alive[PEERS], finished[PEERS];
byte crashes;
byte quiet; /* so many have left and not said so yet */

/* What an auditor knows of messages: that one was sent, delivered, can't come any more. */
bool was_sent[MESSAGES], delivered[MESSAGES], over[MESSAGES];

#define AT(position) ((position) % SLOTS)
#define SENDERS_GONE (!present[0] && !present[1])
#define RECEIVERS_GONE (!present[2] && !present[3])
#define DEAD(peer) (present[peer] && !alive[peer])
#define SOME_DEAD (DEAD(0) || DEAD(1) || DEAD(2) || DEAD(3))
#define DIED_QUIET (quiet && crashes > 0)
#ifdef FAULT_NO_LIVENESS
#define BURIABLE(peer) (kernel_lock[peer] == NOBODY || kernel_lock[peer] == peer + 1)
#else
#define BURIABLE(peer) (kernel_lock[peer] == NOBODY)
#endif
#define OWNER_DEAD(lock) (lock != NOBODY && lock != me + 1 && BURIABLE(lock - 1))

#define KILL                       \
    if                             \
    :: true                        \
    :: crashes < CRASHES ->        \
        crashes++;                 \
        alive[me] = false;         \
        goto dead                  \
    fi

/* ---- sleeping (wait.c) ---- */

inline count_up(first)
{
    if :: sleeper[first] == LOOKED -> sleeper[first] = AWAKE :: else fi;
    if :: sleeper[first + 1] == LOOKED -> sleeper[first + 1] = AWAKE :: else fi
}

/* All that sleep: there are never more than are to be woken and one. */
inline wake_up(first)
{
    woken = (sleeper[first] == ASLEEP) + (sleeper[first + 1] == ASLEEP);
    if :: sleeper[first] == ASLEEP -> sleeper[first] = AWAKE :: else fi;
    if :: sleeper[first + 1] == ASLEEP -> sleeper[first + 1] = AWAKE :: else fi
}

inline wait_wake(sleeps, first)
{
    if
    :: atomic { sleeps -> sleeps = false; count_up(first); KILL };
        atomic { wake_up(first); KILL };
        atomic { if :: woken > 1 -> sleeps = true :: else fi; woken = 0; KILL }
    :: atomic { else }
    fi
}

/* The bits may be gone, and who took them may be dead. */
inline wait_wake_all()
{
    atomic {
        count_up(2);
        KILL;
#ifdef FAULT_BIT_BELIEVED
        if :: filled_sleeps -> wake_up(2) :: else fi;
#else
        wake_up(2);
#endif
        count_up(0);
        KILL;
        wake_up(0);
        woken = 0;
        KILL
    }
}

inline wait_for(sleeps, test)
{
    if
    :: atomic { test }
#ifdef FAULT_LOOKS_ONCE
    :: atomic { else };
        atomic { sleeps = true; sleeper[me] = LOOKED; KILL };
#else
    :: atomic { else -> sleeps = true; sleeper[me] = LOOKED; KILL };
#endif
        if
#ifndef FAULT_LOOKS_ONCE
        :: atomic { test -> sleeper[me] = AWAKE }
#endif
        :: atomic {
            else -> /* the kernel compares the word */
            if :: sleeper[me] == LOOKED -> sleeper[me] = ASLEEP :: else fi;
            KILL
        };
            atomic { sleeper[me] == AWAKE || SOME_DEAD || DIED_QUIET -> sleeper[me] = AWAKE; KILL }
        fi;
        peers_look()
    fi
}

/* ---- what is done for the dead (recover.c, peers.c), under the kernel's lock on their place ---- */

inline recover_sender()
{
#ifdef FAULT_NO_REPAIR
    skip
#else
    if :: tail == intent_tail -> sent = intent_sent :: else fi
#endif
}

inline recover_receiver(who)
{
#ifndef FAULT_NO_REPAIR
    if
    :: (intent == INTENT_NEXT && next != intent_position) ||
       (intent == INTENT_STATE && (intent_position < head || slot_state[AT(intent_position)] == DONE)) ->
        taken[who] = intent_taken;
        KILL;
        received = intent_received
    :: else
    fi;
    KILL;
#ifdef FAULT_MARK_STAYS
    if :: intent == INTENT_NEXT && next == intent_position -> slot_state[AT(next)] = READY :: else fi;
#else
    if :: next != tail -> slot_state[AT(next)] = READY :: else fi;
#endif
    KILL;
#endif
    forget_intent()
}

inline forget_intent()
{
    intent = INTENT_NONE;
    intent_position = 0;
    intent_taken = 0;
    intent_received = 0
}

inline recover_held(who)
{
    atomic {
        at = head;
        do
        :: at != next ->
            if
            :: slot_state[AT(at)] == HELD && slot_place[AT(at)] == who ->
                slot_state[AT(at)] = BACK;
                slot_again[AT(at)] = 1;
                slot_place[AT(at)] = 0;
                KILL
            :: else
            fi;
            back = back + (slot_state[AT(at)] == BACK);
            kept = kept + (slot_state[AT(at)] == HELD);
            at++
        :: else -> break
        od;
        at = 0;
        again = back;
        back = 0;
        KILL
    };
    atomic { held = kept; kept = 0; KILL }
}

/* What has been given back is wiped here, so that states differ only in what matters. */
inline give_back()
{
    atomic {
        do
        :: head != next && (slot_state[AT(head)] == READY || slot_state[AT(head)] == DONE) ->
            slot_message[AT(head)] = 0;
            slot_place[AT(head)] = 0;
            head++
        :: else -> break
        od;
        KILL
    }
}

inline bury_locks(who)
{
    atomic {
        if
        :: sender_lock == who + 1 ->
            recover_sender();
            KILL;
            sender_lock = NOBODY;
            KILL
        :: else
        fi;
        if
        :: receiver_lock == who + 1 ->
            recover_receiver(who);
            KILL;
#ifdef FAULT_LOCK_LET_GO
            receiver_lock = NOBODY
#else
            receiver_lock = me + 1 /* handed over: what it guards is not right yet */
#endif
        :: else
        fi;
        KILL
    }
}

inline bury_end(who)
{
    recover_held(who);
    atomic { give_back(); receiver_lock = NOBODY; KILL };
    atomic { present[who] = false; KILL; kernel_lock[who] = NOBODY; KILL };
    wait_wake_all()
}

/* Where a second one died who has the lock, the first one waits for the next look: burying never buries another. */
inline peers_bury(who)
{
    if
    :: atomic { BURIABLE(who) -> kernel_lock[who] = me + 1; KILL };
        bury_locks(who);
        if
        :: atomic { receiver_lock == me + 1 };
            bury_end(who)
        :: atomic { receiver_lock == NOBODY -> receiver_lock = me + 1; KILL };
            bury_end(who)
        :: atomic { OWNER_DEAD(receiver_lock) -> kernel_lock[who] = NOBODY; KILL }
        fi
    :: atomic { else }
    fi
}

inline peers_look()
{
    do
    :: atomic { look < PEERS && DEAD(look) };
        peers_bury(look);
        atomic { look++ }
    :: atomic { look < PEERS && !DEAD(look) && SOME_DEAD -> look++ }
    :: atomic { else -> look = 0; break }
    od
}

/* ---- locks (lock.c) ---- */

inline lock_take(lock)
{
    do
    :: atomic { lock == NOBODY -> lock = me + 1; KILL; break }
    :: atomic { OWNER_DEAD(lock) -> look = lock - 1 };
        peers_bury(look);
        look = 0
    od
}

/* ---- sending (send.c) ---- */

inline send(message)
{
    lock_take(sender_lock);
    do
    :: atomic { RECEIVERS_GONE -> sender_lock = NOBODY; goto leave }
    :: atomic { !RECEIVERS_GONE && tail - head < SLOTS -> break }
    :: atomic { !RECEIVERS_GONE && tail - head >= SLOTS };
        wait_for(freed_sleeps, (tail - head < SLOTS || RECEIVERS_GONE))
    od;
    atomic {
        KILL;
#ifdef FAULT_SENT_FIRST
        tail++;
        was_sent[message] = true;
        KILL;
        slot_message[AT(tail - 1)] = message;
        slot_state[AT(tail - 1)] = READY;
        slot_again[AT(tail - 1)] = 0;
        intent_tail = tail;
        intent_sent = sent + 1;
#else
        slot_message[AT(tail)] = message;
        slot_state[AT(tail)] = READY;
        slot_again[AT(tail)] = 0;
        KILL;
        intent_tail = tail + 1;
        KILL;
        intent_sent = sent + 1;
        KILL;
        tail++;
        was_sent[message] = true;
#endif
        KILL;
        sent++;
        KILL;
        sender_lock = NOBODY;
        KILL
    };
    wait_wake(filled_sleeps, 2)
}

/* Its places are seen to be free before the kernel's lock is. */
inline peers_leave()
{
    atomic { present[me] = false; quiet++; KILL };
    wait_wake_all();
    atomic { finished[me] = true; quiet-- }
}

inline end()
{
    atomic {
        sleeper[me] = AWAKE;
        at = 0;
        do
        :: at < PEERS ->
            if :: kernel_lock[at] == me + 1 -> kernel_lock[at] = NOBODY :: else fi;
            at++
        :: else -> break
        od;
        at = 0;
        back = 0;
        kept = 0;
        look = 0;
        woken = 0
    }
}

proctype sender(byte me)
{
    byte number = (me == 0 && CAME_BACK);
    byte woken, look, at, back, kept;
    do
    :: atomic { number < COUNT_OF(me) };
        send(FIRST * me + number);
        number++
    :: atomic { else -> break }
    od;
leave:
    peers_leave();
dead:
    atomic { number = 0; end() }
}

/* ---- receiving (take.c, receive.c) ---- */

#define AT_END (SENDERS_GONE && !again && tail == next && !held)
#ifdef FAULT_END_UNSEEN
#define TAKE_TEST (again || tail != next)
#else
#define TAKE_TEST (again || tail != next || AT_END)
#endif

inline take_next(calls)
{
    atomic {
        KILL; /* the stores of an intent mean nothing before this one */
        intent_position = next;
        intent_taken = taken[me] + calls;
        intent_received = received + 1;
        intent = INTENT_NEXT;
        KILL;
        next++;
        if :: calls -> finish(message) :: else fi;
        KILL
    };
    atomic {
        taken[me] = taken[me] + calls;
        KILL;
        received++;
        KILL;
        forget_intent();
        KILL;
        if
        :: calls -> give_back()
        :: else -> held++
        fi;
        KILL;
        receiver_lock = NOBODY;
        KILL
    }
}

inline take_back()
{
    atomic {
        KILL;
        intent_position = place;
        intent_taken = taken[me] + 1;
        intent_received = received;
        intent = INTENT_STATE;
        KILL;
        slot_state[AT(place)] = DONE;
        finish(message);
        KILL;
        taken[me] = taken[me] + 1;
        KILL;
        forget_intent();
        KILL;
        again--;
        KILL
    };
    atomic { give_back(); receiver_lock = NOBODY; KILL }
}

/* The auditor: nobody can get it any more. */
inline finish(which)
{
    assert(!over[which]);
    over[which] = true
}

/* It is the caller's. */
inline deliver(which, anew)
{
    assert(was_sent[which]);
    assert(anew || !delivered[which]);
    assert(anew || which != 0 || !had_second);
    had_second = had_second || (FIRST > 1 && which == 1);
    delivered[which] = true
}

/* The next one at `place`, one that came back first. */
inline take_look()
{
    atomic {
        place = head;
        if
        :: again ->
            do
            :: place != next && slot_state[AT(place)] != BACK -> place++
            :: else -> break
            od;
            assert(place != next); /* else the memory is said to be corrupt */
            found = true
        :: else ->
            place = next;
            found = (next != tail);
            ended = AT_END
        fi;
        was_back = (found && place != next);
        if
        :: found ->
            message = slot_message[AT(place)];
            anew = slot_again[AT(place)]
        :: else ->
            place = 0
        fi
    }
}

inline hold()
{
    if
    :: atomic { !was_back; KILL; mark_held(); KILL };
        take_next(0)
    :: atomic { was_back; KILL; mark_held(); KILL; again--; KILL };
        atomic { held++; KILL; receiver_lock = NOBODY; KILL }
    fi
}

inline mark_held()
{
    slot_state[AT(place)] = HELD;
    slot_place[AT(place)] = me
}

inline release()
{
    lock_take(receiver_lock);
    atomic {
        assert(slot_state[AT(place)] == HELD && slot_place[AT(place)] == me);
        slot_state[AT(place)] = DONE;
        finish(message);
        KILL;
        held--;
        KILL
    };
    atomic { give_back(); receiver_lock = NOBODY; KILL };
    wait_wake(freed_sleeps, 0);
    if
    :: atomic { SENDERS_GONE };
        wait_wake(filled_sleeps, 2)
    :: atomic { else }
    fi
}

proctype receiver(byte me)
{
    byte woken, look, at, back, kept, place, message;
    bool found, ended, was_back, anew, had_second;
    do
    :: true ->
        lock_take(receiver_lock);
        take_look();
        if
        :: atomic { !found -> receiver_lock = NOBODY; KILL };
            if
#ifdef FAULT_END_UNLOCKED
            :: atomic { AT_END -> break }
#else
            :: atomic { ended -> break }
#endif
            :: atomic { else };
                wait_for(filled_sleeps, TAKE_TEST)
            fi
        :: atomic { found && ACQUIRES(me) };
            hold();
            atomic { deliver(message, anew); KILL };
            release()
        :: atomic { found && !ACQUIRES(me) };
            if
            :: atomic { was_back };
                take_back()
            :: atomic { else };
                take_next(1)
            fi;
            wait_wake(freed_sleeps, 0);
            atomic { returned[me] = returned[me] + 1; deliver(message, anew); KILL }
        fi;
        atomic { place = 0; message = 0; anew = 0; found = 0; ended = 0; was_back = 0 }
    od;
    peers_leave();
dead:
    atomic { place = 0; message = 0; anew = 0; found = 0; ended = 0; was_back = 0; had_second = 0; end() }
}

#define ENDED(peer) (finished[peer] || !alive[peer])

inline audit()
{
    atomic {
        do
        :: i < MESSAGES ->
            if
            :: finished[2] || finished[3] ->
                assert(!was_sent[i] || over[i]);
                missing = missing + (was_sent[i] && !delivered[i])
            :: else
            fi;
            total = total + was_sent[i];
            i++
        :: else -> break
        od;
        /* Whoever comes next repairs the counts of a lock that is still a dead one's. */
        assert(sender_lock != NOBODY || sent == total);
        assert(receiver_lock != NOBODY || received == next);
        lost = taken[2] - returned[2] + taken[3] - returned[3];
        assert(receiver_lock != NOBODY || !(finished[2] || finished[3]) || lost == missing)
    }
}

init
{
    byte i, missing, total, lost;
    atomic {
        do
        :: i < PEERS ->
            alive[i] = true;
            present[i] = true;
            kernel_lock[i] = i + 1;
            i++
        :: else -> break
        od;
        i = 0;
        if
        :: CAME_BACK ->
            was_sent[0] = true;
            tail = 1;
            next = 1;
            sent = 1;
            intent_sent = 1;
            intent_tail = 1;
            received = 1;
            again = 1;
            slot_state[0] = BACK;
            slot_again[0] = 1
        :: else
        fi;
        run sender(0);
        run sender(1);
        run receiver(2);
        run receiver(3)
    }
    ENDED(0) && ENDED(1) && ENDED(2) && ENDED(3);
    audit()
}
