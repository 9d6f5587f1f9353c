import os
import threading

import pytest

from edge_runtime.quiet import quiet_stderr


def test_stderr_is_back_once_the_last_of_several_threads_is_done(capfd: pytest.CaptureFixture[str]) -> None:
    begun, ending = threading.Event(), threading.Event()

    def be_quiet() -> None:
        with quiet_stderr():
            begun.set()
            ending.wait(10)
            os.write(2, b"by the other thread\n")

    thread = threading.Thread(target=be_quiet)
    with quiet_stderr():
        thread.start()
        assert begun.wait(10)
        os.write(2, b"by this thread\n")
    ending.set()
    thread.join()
    os.write(2, b"heard again\n")
    assert capfd.readouterr().err == "heard again\n"


def test_a_block_within_a_block_ends_no_silence(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        with quiet_stderr():
            pass
        os.write(2, b"still quiet\n")
    os.write(2, b"heard again\n")
    assert capfd.readouterr().err == "heard again\n"
