import pytest

from edge_runtime.addresses import breaks_in_password, has_name, without_password


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://192.168.1.10:554/user=admin_password={}_channel=1_stream=0.sdp?real_stream",
        "rtsp://192.168.1.10:554/user=admin&password={}&channel=1&stream=0.sdp?",
        "rtsp://host/user=me/password={}/channel=2",
        "http://host/token={}/2.m3u8",
        "rtsp://host/channel=1_password={}",
        "http://host/videostream.cgi?loginuse=admin&loginpas={}",
        "http://host/cgi?usr=me&PWD={}&channel=1",
        "https://host/v.m3u8?sv=1&sig={}",
        "https://host/v.m3u8?Policy=ey&Signature={}",
        "https://host/v?X-Amz-Signature={}&X-Amz-Credential={}",
        "http://proxy:8080/?url=rtsp://me:{}@host/1",
    ],
)
def test_passwords_are_hidden_wherever_cameras_and_servers_want_them(address: str) -> None:
    shown = address.replace("{}", "***")
    assert without_password(address.replace("{}", "tlJwpbo6")) == shown
    assert without_password(shown) == shown


@pytest.mark.parametrize(
    "password", ["pa/ss", "pa#ss", "pa?ss", "pa@ss", "pa@/ss", "123456/7", "pa:ss", "12#ss", "p@#s"]
)
def test_a_password_that_nobody_has_escaped_is_hidden(password: str) -> None:
    assert without_password(f"rtsp://me:{password}@host:554/1") == "rtsp://me:***@host:554/1"


@pytest.mark.parametrize(
    "password", ["pa/ss", "pa#ss", "pa?ss", "#pass", "pa@/ss", "123456/7", "pa%23s/s", "12#ss", "p@#s"]
)
def test_a_password_that_ends_the_host_is_noticed(password: str) -> None:
    assert breaks_in_password(f"rtsp://me:{password}@host:554/1")


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://me:pa%23ss@host/1",
        "rtsp://me:pa@ss@host/1",
        "rtsp://me:secret@host/v@w",
        "rtsp://me:secret@[::1]:554/v@w",
        "rtsp://me@host:554/v@w",
        "rtsp://[::1]:554/v@w",
        "http://host/path@2x?x=a@b",
        "http://host:80/path@2x?x=a@b",
        "http://proxy:8080/?url=rtsp://me:pa/ss@host/1",
        "http://proxy/?url=rtsp://me:pa/ss@host/1",
    ],
)
def test_an_at_sign_behind_the_host_is_of_no_password(address: str) -> None:
    assert not breaks_in_password(address)


@pytest.mark.parametrize(
    ("address", "named"), [("rtsp://me:pw@host/1", True), ("rtsp://me@host", True), ("rtsp://host/a@b", False)]
)
def test_a_user_name_stands_before_the_host(address: str, named: bool) -> None:
    assert has_name(address) is named


def test_the_rest_of_a_path_stays_also_without_a_password() -> None:
    address = "rtsp://host/user=admin_password=_channel=1_stream=0.sdp"
    assert without_password(address) == "rtsp://host/user=admin_password=***_channel=1_stream=0.sdp"


def test_a_secret_that_looks_like_a_path_is_hidden_whole() -> None:
    assert without_password("http://host/v?token=ab/cd_ef=&channel=1") == "http://host/v?token=***&channel=1"
    assert (
        without_password("rtsp://host/user=me_password=a/b?c_channel=1") == "rtsp://host/user=me_password=***_channel=1"
    )


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://host/v@w",
        "rtsp://host:554/v@w",
        "rtsp://host:554?v=a@b",
        "rtsp://[::1]:554/v@w",
        "rtsp://me@host:554/v@w",
        "rtsp://host/a:b@c",
        "http://host/v?signal=1&design=2",
        "out/key=1/a.jpg",
    ],
)
def test_what_has_no_password_stays(address: str) -> None:
    assert without_password(address) == address
