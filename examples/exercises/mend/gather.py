"""A gather() whose results come in the order in which the children end."""

import miniloop
from miniloop.core.combinators import _GatheringFuture


def gather(*children, return_exceptions=False):
    if not children or return_exceptions or miniloop._get_running_loop() is None:
        return miniloop.gather(*children, return_exceptions=return_exceptions)

    def on_child_done(child):
        results.append(child)
        if outer.done():
            if not child.cancelled():
                child.exception()
        elif child.cancelled():
            outer.set_exception(child._make_cancelled_error())
        elif child.exception() is not None:
            outer.set_exception(child.exception())
        elif len(results) == len(futures):
            if outer._cancel_requested:
                outer.set_exception(outer._children[-1]._make_cancelled_error())
            else:
                outer.set_result([one.result() for one in results])

    results = []
    loop = miniloop.get_running_loop()
    futures = {}
    for child in dict.fromkeys(children):
        futures[child] = miniloop.ensure_future(child, loop=loop)
        if futures[child] is not child:
            futures[child]._log_destroy_pending = False
    done = [future for future in futures.values() if future.done()]
    for future in futures.values():
        if not future.done():
            future.add_done_callback(on_child_done)
    outer = _GatheringFuture([futures[child] for child in children], loop=loop)
    for future in done:
        on_child_done(future)
    return outer
