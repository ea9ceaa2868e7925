"""The rules of scheduling, one file for each: tests to read.

Each file states a rule, shows a small program and gives its schedule: what happens in which tick. A
tick is one iteration of the loop. The test runs the program on asyncio and on miniloop, in the same
interpreter and on a virtual clock, and holds both to that schedule. Take a program, change a line,
and guess its new schedule before you run it.

Read the files in this order:

    test_ticks_of_gather            why `await gather()` goes on two ticks after the last child
    test_batch_of_a_tick            a tick runs what was ready when it began, and nothing else
    test_order_of_callbacks         first in, first out
    test_order_of_timers            by deadline; how equal deadlines are ordered
    test_how_long_the_loop_waits    what the loop passes to `select()`
    test_states_of_a_task           the four states, and what leads from one to another
    test_first_step_of_a_task       `create_task()` takes a tick, `await coroutine()` takes none
    test_sleep_zero                 how `sleep(0)` lets other tasks run
    test_await_of_a_future          a result wakes its waiters in the next tick
    test_ticks_of_every_wait        from the end of a child to the next step of its waiter
    test_when_a_cancelled_task_ends `cancel()` is a request, and the task answers it in a step
    test_result_and_cancel          which of the two wins in the same tick
    test_timeout                    a timeout is a timer that cancels, and catches the error
    test_failure_in_a_task_group    who is cancelled, and when
    test_turns_at_a_lock            how a lock goes from one task to the next
    test_waiters_of_an_event        one task wakes all waiters of an event, in their order
    test_turns_at_a_queue           how a queue with one place makes two tasks take turns
    test_end_of_run                 what `run()` does after the program has returned
    test_virtual_clock              longer programs: ticks, times and timeouts are all equal

`tests/details` holds miniloop to asyncio in everything that decides no order. `tests/io` tests
descriptors, signals, threads, executors, sockets and streams. `tests/difftest` compares random
programs.
"""
