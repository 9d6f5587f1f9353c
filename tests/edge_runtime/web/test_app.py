import contextlib
import http.client
import itertools
import json
import re
import select
import socket
import time
from urllib.parse import urlencode, urljoin, urlsplit

import cv2
import numpy as np
import pytest

from edge_runtime.errors import OutputError
from edge_runtime.events import HealthKind
from edge_runtime.results import Detection
from edge_runtime.veil import blur_outside
from edge_runtime.web.protocol import MOST_CONNECTIONS
from edge_runtime.web.sink import WebSink

_TOKEN = "a token of the test's own"


def _picture(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def _connect(site) -> socket.socket:  # noqa: ANN001
    address = urlsplit(site.sink.address)
    return socket.create_connection((address.hostname, address.port), 20)


def _trickle(connection: socket.socket) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        connection.sendall(b"a")
        time.sleep(0.05)


def _log_in(site, token: str) -> str:  # noqa: ANN001
    """Return the cookie as a browser sends it back."""
    answer, _ = site.ask("/login", "POST", urlencode({"token": token}))
    return answer.headers["Set-Cookie"].partition(";")[0]


def _read_events(site, count: int) -> list[tuple[str, dict]]:  # noqa: ANN001
    """Read the first messages of the event stream."""
    with _connect(site) as connection:
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        lines = connection.makefile(encoding="utf-8")
        messages = []
        while len(messages) < count:
            line = lines.readline()
            if line.startswith("event: "):
                messages.append((line[7:].strip(), json.loads(lines.readline()[6:])))
    return messages


class TestPictures:
    def test_the_latest_answer_is_drawn_on_its_frame(self, site) -> None:  # noqa: ANN001
        site.show(value=10)
        site.show(value=200)
        answer, body = site.ask("/picture.jpg")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
        picture = _picture(body)
        assert picture.shape == (240, 320, 3)
        assert abs(int(picture[-1, -1, 0]) - 200) < 3
        # The label's panel.
        assert picture[:40].std() > 5

    def test_a_viewer_gets_each_picture_once(self, site) -> None:  # noqa: ANN001
        site.show(value=10)
        answer, _ = site.ask("/picture.jpg")
        number = answer.headers["X-Picture"]
        site.show(value=200)
        answer, body = site.ask(f"/picture.jpg?after={number}")
        assert answer.headers["X-Picture"] != number
        assert _picture(body)[-1, -1, 0] > 190

    def test_without_a_new_picture_there_is_an_end_to_waiting(self, site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
        monkeypatch.setattr("edge_runtime.web.painter._LONGEST_WAIT_S", 0.2)
        assert site.ask("/picture.jpg")[0].status == 204
        site.show()
        number = site.ask("/picture.jpg")[0].headers["X-Picture"]
        assert site.ask(f"/picture.jpg?after={number}")[0].status == 204

    def test_each_source_has_a_place(self, site) -> None:  # noqa: ANN001
        site.show("camera:0", 10)
        site.show("camera:1", 200)
        values = [_picture(site.ask(f"/picture.jpg?source={index}")[1])[-1, -1, 0] for index in (0, 1)]
        assert values[0] < 20
        assert values[1] > 190

    @pytest.mark.parametrize("query", ["source=x", "after=1e9"])
    def test_numbers_are_checked(self, site, query: str) -> None:  # noqa: ANN001
        assert site.ask(f"/picture.jpg?{query}")[0].status == 400

    def test_wide_frames_are_made_smaller(self, site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
        monkeypatch.setattr("edge_runtime.web.painter._MOST_PIXELS_ACROSS", 160)
        site.show()
        assert _picture(site.ask("/picture.jpg")[1]).shape == (120, 160, 3)

    def test_a_veil_is_drawn_over_all_but_boxes(self, serve_page) -> None:  # noqa: ANN001
        calls = []
        site = serve_page(veil=lambda image, result: calls.append(result) or blur_outside(image, result))
        site.show(detections=(Detection("hat", 0.9, (10.0, 10.0, 50.0, 50.0)),))
        site.ask("/picture.jpg")
        assert len(calls) == 1


class TestStatus:
    def test_health_is_well_while_every_source_gives_frames(self, site) -> None:  # noqa: ANN001
        assert site.ask("/health")[0].status == 503
        site.show("camera:0")
        site.show("camera:1")
        answer, body = site.ask("/health")
        assert answer.status == 200
        status = json.loads(body)
        assert status["status"] == "ok"
        assert [source["picture"] for source in status["sources"]] == [1, 2]
        assert [source["name"] for source in status["sources"]] == ["camera:0", "camera:1"]
        assert status["sources"][0]["answers"] == [{"label": "hat", "score": 0.875}]
        assert status["sources"][0]["answer_ms"] == 4.2

    def test_a_lost_source_is_no_good_health_until_it_is_back(self, site) -> None:  # noqa: ANN001
        site.show("camera:0")
        site.lose(0, "camera:0")
        site.lose(1, "camera:0", HealthKind.SINK_SLOW)
        answer, body = site.ask("/health")
        assert answer.status == 503
        assert json.loads(body)["sources"][0]["lost"] is True
        site.lose(2, "camera:0", HealthKind.SOURCE_BACK)
        assert site.ask("/health")[0].status == 200

    def test_a_source_that_never_gave_a_frame_is_missed(self, site) -> None:  # noqa: ANN001
        site.show("camera:0")
        site.lose(0, "camera:1")
        answer, body = site.ask("/health")
        assert answer.status == 503
        sources = json.loads(body)["sources"]
        assert [(source["name"], source["lost"]) for source in sources] == [("camera:0", False), ("camera:1", True)]
        # The page asks for no picture before there is one.
        assert sources[1]["picture"] == 0
        assert set(sources[0]) == set(sources[1])
        assert site.ask("/picture.jpg?source=1")[0].status == 204
        site.lose(1, "camera:1", HealthKind.SOURCE_BACK)
        assert site.ask("/health")[0].status == 200

    def test_a_dark_source_gives_frames_all_the_same(self, site) -> None:  # noqa: ANN001
        site.lose(0, "camera:0", HealthKind.SOURCE_DARK)
        answer, body = site.ask("/health")
        assert answer.status == 200
        assert [(source["name"], source["dark"]) for source in json.loads(body)["sources"]] == [("camera:0", True)]
        site.lose(1, "camera:0", HealthKind.SOURCE_LIGHT)
        assert json.loads(site.ask("/health")[1])["sources"][0]["dark"] is False

    def test_events_come_as_they_are_told_and_the_status_with_them(self, site) -> None:  # noqa: ANN001
        site.show()
        site.scan(0, "hat")
        site.lose(1, "camera:0")
        (first, scan), (second, health), (third, status) = _read_events(site, 3)
        assert (first, second, third) == ("garment-event", "garment-event", "status")
        assert (scan["id"], scan["label"], health["id"]) == ("s0", "hat", "h1")
        assert status["status"] == "no frames"

    def test_a_proxy_is_asked_to_pass_events_on_at_once(self, site) -> None:  # noqa: ANN001
        with _connect(site) as connection:
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            lines = connection.makefile(encoding="utf-8")
            assert "x-accel-buffering: no\n" in itertools.takewhile(lambda line: line != "\n", lines)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/login", "text/html"),
        ("/page.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
def test_types_are_not_those_of_the_systems_registry(
    path: str,
    kind: str,
    site,  # noqa: ANN001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("starlette.responses.guess_type", lambda _: ("application/octet-stream", None))
    assert site.ask(path)[0].headers["Content-Type"].partition(";")[0] == kind


class TestGuard:
    @pytest.mark.parametrize("path", ["/", "/page.js", "/picture.jpg", "/health", "/metrics", "/nothing"])
    def test_headers_are_strict_everywhere(self, site, path: str) -> None:  # noqa: ANN001
        site.show()
        headers = site.ask(path)[0].headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy

    @pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST", "127.0.0.2:8080"])
    def test_without_a_token_this_machines_names_are_served(self, site, host: str) -> None:  # noqa: ANN001
        assert site.ask("/", Host=host)[0].status == 200

    @pytest.mark.parametrize(
        "host", ["evil.example", "localhost.evil.example:8080", "10.0.0.1:8080", "127.evil.example", ""]
    )
    def test_without_a_token_no_other_name_is_served(self, site, host: str) -> None:  # noqa: ANN001
        assert site.ask("/picture.jpg", Host=host)[0].status in (400, 421)

    @pytest.mark.parametrize(
        "header", ["X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"]
    )
    def test_without_a_token_no_proxy_on_this_machine_is_served(self, serve_page, header: str) -> None:  # noqa: ANN001
        site, guarded = serve_page(), serve_page(_TOKEN)
        for opened in (site, guarded):
            opened.show()
        assert site.ask("/picture.jpg")[0].status == 200
        answer, body = site.ask("/picture.jpg", **{header: "203.0.113.7"})
        assert answer.status == 421
        assert b"--web-token-file" in body
        passed_on = {header: "203.0.113.7", "Authorization": f"Bearer {_TOKEN}"}
        assert guarded.ask("/picture.jpg", **passed_on)[0].status == 200

    @pytest.mark.parametrize("path", ["/page.js", "/picture.jpg", "/events", "/health", "/metrics", "/nothing"])
    @pytest.mark.parametrize("credential", ["", "Bearer wrong", "Basic x", "Bearer"])
    def test_with_a_token_nothing_is_seen_without_it(self, serve_page, path: str, credential: str) -> None:  # noqa: ANN001
        site = serve_page(_TOKEN)
        answer, body = site.ask(path, Authorization=credential)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert _TOKEN.encode() not in body

    def test_programs_give_the_token_in_a_header(self, serve_page) -> None:  # noqa: ANN001
        site = serve_page(_TOKEN)
        site.show()
        assert site.ask("/health", Authorization=f"Bearer {_TOKEN}")[0].status == 200
        assert site.ask("/health", Authorization=f"bearer {_TOKEN}", Host="till.shop")[0].status == 200

    @pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
    def test_the_token_may_have_letters_beyond_ascii(self, serve_page, encoding: str) -> None:  # noqa: ANN001
        # In UTF-8 the last letter ends in a byte that is white space in Latin-1.
        token = "schlüssel des tests, voilà"
        site = serve_page(token)
        site.show()
        sent = token.encode(encoding).decode("latin-1")
        assert site.ask("/health", Authorization=f"Bearer {sent}")[0].status == 200
        assert site.ask("/health", Authorization=f"Bearer {sent[:-1]}")[0].status == 401

    def test_people_log_in_and_get_a_cookie_that_is_not_the_token(self, serve_page) -> None:  # noqa: ANN001
        site = serve_page(_TOKEN)
        site.show()
        answer, _ = site.ask("/")
        assert (answer.status, answer.headers["Location"]) == (303, "login")
        assert b"password" in site.ask("/login")[1]
        answer, _ = site.ask("/login", "POST", "token=a+token+of+the+test%27s+own")
        assert (answer.status, answer.headers["Location"]) == (303, "./")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert _TOKEN not in cookie
        session = cookie.partition(";")[0]
        assert site.ask("/health", Cookie=session)[0].status == 200
        assert site.ask("/health", Cookie=session[:-1])[0].status == 401

    def test_a_proxy_may_serve_the_page_below_a_path(self, serve_page) -> None:  # noqa: ANN001
        site = serve_page(_TOKEN)
        address = "https://shop.example/till-1/"
        login = urljoin(address, site.ask("/")[0].headers["Location"])
        assert login == f"{address}login"
        form = re.search('action="(.*?)"', site.ask("/login")[1].decode())
        assert form is not None
        assert urljoin(login, form[1]) == login
        answer, _ = site.ask("/login", "POST", urlencode({"token": _TOKEN}))
        assert urljoin(login, answer.headers["Location"]) == address
        assert "Path=/;" in answer.headers["Set-Cookie"]

    @pytest.mark.parametrize(
        "other", ["prefs[theme]=dark", 'grafana={"a":1}', "x@y=1", "a/b=1", "flag", "n=a b", 'v="open', "n=J\xfcrgen"]
    )
    def test_cookies_of_other_programs_on_this_host_do_no_harm(self, serve_page, other: str) -> None:  # noqa: ANN001
        site = serve_page(_TOKEN)
        site.show()
        session = _log_in(site, _TOKEN)
        assert site.ask("/health", Cookie=f"{other}; {session}")[0].status == 200
        assert site.ask("/health", Cookie=f"{session}; {other}")[0].status == 200
        assert site.ask("/health", Cookie=other)[0].status == 401

    def test_runs_on_one_host_keep_each_others_visitors(self, serve_page) -> None:  # noqa: ANN001
        tokens = _TOKEN, "another one of the test's"
        sites = [serve_page(token) for token in tokens]
        cookies = [_log_in(site, token) for site, token in zip(sites, tokens, strict=True)]
        # A browser keeps one cookie of each name for all ports of a host.
        kept = "; ".join({cookie.partition("=")[0]: cookie for cookie in cookies}.values())
        for site in sites:
            site.show()
            assert site.ask("/health", Cookie=kept)[0].status == 200

    @pytest.mark.parametrize("body", ["token=wrong", "", "x" * 10_000, "token=%ff"])
    def test_a_wrong_token_is_refused(self, serve_page, body: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
        monkeypatch.setattr("edge_runtime.web.app._WRONG_TOKEN_S", 0.01)
        answer, _ = serve_page(_TOKEN).ask("/login", "POST", body)
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers


class TestConnections:
    def test_idle_ones_make_room_for_a_request(self, serve_page) -> None:  # noqa: ANN001
        site = serve_page(_TOKEN)
        site.show()
        with contextlib.ExitStack() as idle:
            connections = [idle.enter_context(_connect(site)) for _ in range(2 * MOST_CONNECTIONS)]
            assert site.ask("/health", Authorization=f"Bearer {_TOKEN}")[0].status == 200
            ended, _, _ = select.select(connections, [], [], 0)
            assert len(ended) > MOST_CONNECTIONS

    def test_one_that_waits_for_an_answer_is_kept(self, site) -> None:  # noqa: ANN001
        with contextlib.ExitStack() as idle, _connect(site) as events:
            events.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert events.recv(1)
            for _ in range(2 * MOST_CONNECTIONS):
                idle.enter_context(_connect(site))
            assert site.ask("/style.css")[0].status == 200
            site.scan(0, "hat")
            assert "event: garment-event\n" in events.makefile()

    @pytest.mark.parametrize(
        "begun",
        [
            b"",
            b"GET /health HT",
            b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\ntoken",
        ],
    )
    def test_a_request_has_an_end(self, serve_page, begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
        monkeypatch.setattr("edge_runtime.web.protocol._REQUEST_S", 0.5)
        with _connect(serve_page(_TOKEN)) as connection:
            connection.sendall(begun)
            assert connection.recv(1) == b""

    def test_so_has_the_next_one_of_a_connection(self, site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
        monkeypatch.setattr("edge_runtime.web.protocol._REQUEST_S", 0.5)
        connection = http.client.HTTPConnection(urlsplit(site.sink.address).netloc, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/style.css")
            connection.getresponse().read()
            connection.sock.sendall(b"GET /health HT")
            assert connection.sock.recv(1) == b""

    def test_pieces_of_a_request_give_no_more_time(self, site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
        monkeypatch.setattr("edge_runtime.web.protocol._REQUEST_S", 0.5)
        with _connect(site) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: ")
            with pytest.raises(ConnectionError):
                _trickle(connection)

    def test_an_answer_may_take_longer(self, site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
        monkeypatch.setattr("edge_runtime.web.protocol._REQUEST_S", 0.5)
        # A second apart.
        assert [name for name, _ in _read_events(site, 2)] == ["status", "status"]


def test_a_port_that_is_taken_is_an_output_error(site) -> None:  # noqa: ANN001
    port = urlsplit(site.sink.address).port
    with pytest.raises(OutputError, match=f"port {port}"):
        WebSink("127.0.0.1", port, site.sink._server.config.app, site.sink._stage, site.sink._metrics)


@pytest.mark.parametrize("host", ["a\udcffb", "ü" * 70, "no.such.host.invalid"])
def test_a_name_that_is_none_of_this_machine_is_an_output_error(site, host: str) -> None:  # noqa: ANN001
    with pytest.raises(OutputError, match="cannot be served at"):
        WebSink(host, 0, site.sink._server.config.app, site.sink._stage, site.sink._metrics)


def test_open_streams_end_with_the_run_and_without_a_word(serve_page, capfd: pytest.CaptureFixture[str]) -> None:  # noqa: ANN001
    site = serve_page()
    with _connect(site) as connection:
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.recv(1)
        site.sink.__exit__(None, None, None)
        assert not site.sink._thread.is_alive()
    assert capfd.readouterr().err == ""
