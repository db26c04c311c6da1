"""The handler lane around forks and at the end of the process."""

from __future__ import annotations

FORK = """
    import logging, logboom, os, queue, sys, threading
    logboom.install()
    class Append(logging.Handler):
        def emit(self, record):
            if record.getMessage().startswith("hold"):
                entered.set()
                go.wait(60)
            with open("app.log", "a") as file:
                file.write(f"{record.getMessage()} of {record.process}\\n")
    entered, go = threading.Event(), threading.Event()
    source = queue.Queue()
    listener = logboom.QueueListener(source, Append())
    logger = logging.getLogger("app")
    logger.setLevel(10)
    logger.propagate = False
    logger.addHandler(logboom.QueueHandler(source))
    listener.start()
"""


def test_a_forked_child_begins_empty_and_hands_on_its_own(run_python, log):
    outcome = run_python(
        FORK
        + """
    logger.info("hold")
    entered.wait(60)
    for number in range(100):
        logger.info("parent")
    child = os.fork()
    if child == 0:
        assert [t.name for t in threading.enumerate()] == ["MainThread"]
        for number in range(100):
            logger.info("child")
        assert logboom.flush(60)
        assert [t.name for t in threading.enumerate()] == ["MainThread", "logboom-lane"]
        listener.stop()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    go.set()
    assert logboom.flush(60)
    print(os.getpid(), child)
    """
    ).ok()
    parent, child = outcome.out.split()
    lines = log.lines()
    assert lines.count(f"child of {child}") == 100
    assert lines.count(f"parent of {parent}") == 100
    assert lines.count(f"hold of {parent}") == 1
    assert len(lines) == 201


def test_forks_while_threads_put_records(run_python, log):
    run_python(
        FORK
        + """
    stop = threading.Event()
    def put():
        while not stop.is_set():
            # A handler that opens a file for each record is no match for two threads without rest.
            if source.qsize() < 1000:
                logger.info("busy")
    threads = [threading.Thread(target=put) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        child = os.fork()
        if child == 0:
            logger.info("child")
            os._exit(0 if logboom.flush(60) else 1)
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    for thread in threads:
        thread.join()
    """
    ).ok()
    assert sum(line.startswith("child of ") for line in log.lines()) == 20


def test_the_end_of_the_process_hands_on_everything(run_python, log):
    run_python(
        FORK
        + """
    for number in range(5000):
        logger.info("line %d", number)
    del listener, source, logger
    """
    ).ok()
    assert [line.split(" of ")[0] for line in log.lines()] == [f"line {n}" for n in range(5000)]


def test_a_handler_that_hangs_does_not_keep_the_process_and_is_counted(run_python):
    outcome = run_python(
        FORK
        + """
    logboom.configure(shutdown_timeout=0.05)
    logger.info("hold")
    entered.wait(60)
    for number in range(7):
        logger.info("line %d", number)
    """
    ).ok()
    assert "logboom: 8 records were waiting for handlers behind a queue after 0.05 s" in outcome.err


def test_a_listener_that_is_stopped_at_exit_hangs_no_process_either(run_python):
    outcome = run_python(
        FORK
        + """
    import atexit
    logboom.configure(shutdown_timeout=0.05)
    atexit.register(listener.stop)  # runs before ours, as Litestar's does
    logger.info("hold")
    entered.wait(60)
    """
    ).ok()
    assert "logboom: 2 records were waiting" in outcome.err, outcome  # the sentinel among them


def test_children_of_multiprocessing_hand_on_what_is_theirs(run_python, log):
    run_python("""
        import logging, logboom, multiprocessing, queue
        class Append(logging.Handler):
            def emit(self, record):
                with open("app.log", "a") as file:
                    file.write(record.getMessage() + "\\n")
        def child(number):
            source = queue.Queue()
            logboom.QueueListener(source, Append()).start()
            logger = logging.getLogger("child")
            logger.propagate = False
            logger.addHandler(logboom.QueueHandler(source))
            logger.warning("child %d", number)
        fork = multiprocessing.get_context("fork")
        processes = [fork.Process(target=child, args=(n,)) for n in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
            assert process.exitcode == 0
    """).ok()
    assert sorted(log.lines()) == [f"child {number}" for number in range(4)]


END = """
    import logging, logboom, os, queue, sys, threading, time
    logboom.install()
    logboom.configure(shutdown_timeout=0.05)
    inside, go = threading.Event(), os.pipe()
    source = queue.Queue()
    logger = logging.getLogger("app")
    logger.setLevel(10)
    logger.propagate = False
    logger.addHandler(logboom.QueueHandler(source))
    class Last:
        # Runs when the interpreter is being taken down; the other thread may go on now, into its end.
        def __del__(self, write=os.write, go=go, sleep=time.sleep):
            write(go[1], b"x")
            # It is given every chance to come back: `sleep` gives the GIL away.
            for _ in range(100):
                sleep(0.005)
    sys.last = Last()
"""


def test_the_lane_that_is_in_a_handler_at_the_end_of_the_interpreter(run_python):
    outcome = run_python(
        END
        + """
    class Waits(logging.Handler):
        def createLock(self):  # the library asks for it at exit
            self.lock = None
        def handle(self, record):
            self.emit(record)
        def emit(self, record, inside=inside, read=os.read, go=go):
            inside.set()
            read(go[0], 1)
    logboom.QueueListener(source, Waits()).start()
    logger.info("x")
    inside.wait()
    """
    )
    assert outcome.code == 0, outcome
    assert "logboom: 1 records were waiting" in outcome.err


def test_a_daemon_thread_that_puts_a_record_at_the_end_of_the_interpreter(run_python):
    outcome = run_python(
        END
        + """
    logger.info("the first")
    class Waits:
        def __str__(self, inside=inside, read=os.read, go=go):
            inside.set()
            read(go[0], 1)
            return "late"
    threading.Thread(target=logger.info, args=("%s", Waits()), daemon=True).start()
    inside.wait()
    """
    )
    assert outcome.code == 0, outcome
