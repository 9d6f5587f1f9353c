"""The page as a browser shows it."""

import time

import cv2
import numpy as np
import pytest

from edge_runtime.events import HealthKind

_SHOWN = "document.querySelector('figure img')?.naturalWidth === 320"


def test_pictures_events_and_state_are_shown(site, browser) -> None:  # noqa: ANN001
    site.show(value=90)
    site.scan(0, "<b>hat</b>")
    browser.open(site.sink.address)
    browser.until(_SHOWN)
    browser.until("document.getElementById('state').textContent === 'ok'")
    assert browser.evaluate("document.querySelector('figcaption .source').textContent") == "camera:0"
    assert browser.evaluate("document.querySelector('figure img').alt") == "hat 88 %"
    # A label is text, whatever it looks like.
    assert browser.evaluate("document.querySelector('#events .settled .what').textContent") == "<b>hat</b>"
    site.lose(1, "camera:0")
    browser.until("document.querySelector('#events li').textContent.includes('camera:0 <is> source_lost.')")
    browser.until("document.getElementById('state').textContent === 'no frames'")
    numbers = "document.querySelector('figcaption .numbers').textContent"
    assert browser.evaluate(numbers) == "lost"
    site.lose(2, "camera:0", HealthKind.SOURCE_BACK)
    browser.until("document.getElementById('state').textContent === 'ok'")
    site.lose(3, "camera:0", HealthKind.SOURCE_DARK)
    browser.until(f"{numbers} === 'black frames'")
    assert browser.complaints == []


def test_the_picture_changes_with_the_frame(site, browser) -> None:  # noqa: ANN001
    site.show(value=40)
    browser.open(site.sink.address)
    browser.until(_SHOWN)
    before = browser.evaluate("document.querySelector('figure img').src")
    site.show(value=220)
    browser.until(f"document.querySelector('figure img').src !== '{before}'")
    browser.until(_SHOWN)
    screen = cv2.imdecode(np.frombuffer(browser.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    edges = "(({left, bottom}) => [left, bottom])(document.querySelector('img').getBoundingClientRect())"
    left, bottom = (round(edge) for edge in browser.evaluate(edges))
    assert abs(int(screen[bottom - 20, left + 20, 0]) - 220) < 6


def test_a_source_that_stands_still_is_left_alone(site, browser, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    monkeypatch.setattr("edge_runtime.web.painter._LONGEST_WAIT_S", 0.1)
    site.show()
    site.lose(0, "camera:1")
    browser.open(site.sink.address)
    browser.until(_SHOWN)
    asked = "performance.getEntriesByType('resource').filter(({name}) => name.includes('picture.jpg')).length"
    # A picture and no other one, and none of the other camera.
    browser.until(f"{asked} === 3")
    time.sleep(1)
    assert browser.evaluate(asked) == 3
    before = browser.evaluate("document.querySelector('figure img').src")
    site.show()
    browser.until(f"document.querySelector('figure img').src !== '{before}'")
    assert browser.complaints == []


def test_it_remembers_no_more_events_than_it_shows(site, browser) -> None:  # noqa: ANN001
    browser.open(site.sink.address)
    browser.until("document.getElementById('state').textContent === 'no frames'")
    for numbers in (range(90), range(90, 150)):
        for number in numbers:
            site.scan(number, f"hat {number}")
        browser.until(f"document.querySelector('#events .what')?.textContent === 'hat {numbers[-1]}'")
    assert browser.evaluate("[known.size, document.querySelectorAll('#events li').length]") == [100, 100]


def test_it_fits_a_phone(site, browser) -> None:  # noqa: ANN001
    site.show("rtsp://a-camera-with-a-very-long-name.warehouse.example:8554/a/long/path/without/any/space")
    site.scan(0, "longsleeve")
    site.lose(1, "rtsp://a-camera-with-a-very-long-name.warehouse.example:8554/a/long/path/without/any/space")
    browser.open(site.sink.address, 360, 640)
    browser.until(_SHOWN)
    browser.until("document.querySelectorAll('#events li').length === 2")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_visitor_logs_in(serve_page, browser) -> None:  # noqa: ANN001
    site = serve_page("a token of the test's own")
    site.show()
    browser.open(site.sink.address)
    browser.until("document.getElementById('token') !== null")
    browser.evaluate("document.getElementById('token').value = \"a token of the test's own\"")
    browser.evaluate("document.querySelector('button').click()")
    browser.until(_SHOWN)
    assert browser.complaints == []
