"""Nobody makes the service talk to its own network (SSRF): at adding, and at every attempt.

The resolver's part is played here, since no test asks a real one; everything else is real.
"""

from __future__ import annotations

import pytest

from bol_service.application.webhook_ports import BadReceiver
from bol_service.http.receiver_address import is_public, read_receiver
from bol_service.http.receivers import HttpReceivers

PUBLIC = "93.184.216.34"

# What a URL may not look like, and a word of the answer.
FORMS = {
    "plain http": ("http://erp.example/hook", "https only"),
    "another scheme": ("ftp://erp.example/hook", "no address of a receiver"),
    "a file": ("file:///etc/passwd", "no address of a receiver"),
    "the loopback by name": ("https://localhost/hook", "no public name"),
    "the loopback by address": ("https://127.0.0.1/hook", "no public name"),
    "a public address instead of a name": ("https://93.184.216.34/hook", "no public name"),
    "IPv4 as one decimal number": ("https://2130706433/hook", "no public name"),
    "IPv4 as one hexadecimal number": ("https://0x7f000001/hook", "no public name"),
    "IPv4 with a hexadecimal part": ("https://0x7f.0.0.1/hook", "no public name"),
    "IPv4 with an octal part": ("https://0177.0.0.1/hook", "no public name"),
    "IPv4 shortened": ("https://127.1/hook", "no public name"),
    "a name that ends in a number": ("https://erp.example.1/hook", "no public name"),
    "a name that ends in a hexadecimal number": ("https://erp.0x1/hook", "no public name"),
    "IPv6": ("https://[2606:4700::1111]/hook", "no address of a receiver"),
    "IPv6 loopback": ("https://[::1]/hook", "no public name"),
    "IPv4-mapped": ("https://[::ffff:127.0.0.1]/hook", "no address of a receiver"),
    "IPv6 with a zone": ("https://[fe80::1%25eth0]/hook", "no address of a receiver"),
    "a name of one label": ("https://intranet/hook", "no public name"),
    "a name with the root's dot": ("https://erp.example./hook", "no public name"),
    "an empty label": ("https://erp..example/hook", "no public name"),
    "no name": ("https:///hook", "no address of a receiver"),
    "a user": ("https://user@erp.example/hook", "no address of a receiver"),
    "user and password": ("https://a:b@erp.example/hook", "no address of a receiver"),
    "another host behind a user": ("https://erp.example@127.0.0.1/", "no address of a receiver"),
    "a backslash": ("https://erp.example\\@127.0.0.1/", "no address of a receiver"),
    "a fragment": ("https://erp.example/#@127.0.0.1", "no address of a receiver"),
    "a port of mail": ("https://erp.example:25/hook", "port 25 is not served"),
    "a port of a database": ("https://erp.example:5432/hook", "port 5432 is not served"),
    "port zero": ("https://erp.example:0/hook", "port 0 is not served"),
    "a line feed": ("https://erp.example/\nhook", "no address of a receiver"),
    "a line feed at the end": ("https://erp.example/hook\n", "no address of a receiver"),
    "a carriage return": ("https://erp.example/\r\nHost: x", "no address of a receiver"),
    "a blank": ("https://erp.example/ hook", "no address of a receiver"),
    "wide characters": ("https://ｅｒｐ.example/", "no address of a receiver"),
    "a name in another script": ("https://例子.example/", "no address of a receiver"),
    "dots of another script": ("https://127。0。0。1/", "no address of a receiver"),
    "a percent sign in the name": ("https://%31%32%37.0.0.1/", "no address of a receiver"),
    "half an escape": ("https://erp.example/%2", "no address of a receiver"),
    "too long": ("https://erp.example/" + "a" * 1000, "no address of a receiver"),
    "empty": ("", "no address of a receiver"),
}

# What a name may not lead to.
ADDRESSES = {
    "this host": "0.0.0.0",
    "loopback": "127.0.0.1",
    "loopback, another one": "127.8.8.8",
    "private 10/8": "10.1.2.3",
    "private 172.16/12": "172.31.255.255",
    "private 192.168/16": "192.168.0.1",
    "link-local, metadata of clouds": "169.254.169.254",
    "shared address space, metadata of a cloud": "100.100.100.200",
    "public, but answers inside of a cloud": "168.63.129.16",
    "IETF protocol assignments": "192.0.0.192",
    "documentation": "203.0.113.7",
    "benchmarks": "198.18.0.1",
    "6to4 relays": "192.88.99.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 unspecified": "::",
    "IPv6 loopback": "::1",
    "IPv6 link-local": "fe80::1",
    "IPv6 link-local with a zone": "fe80::1%eth0",
    "IPv6 public with a zone": "2606:4700::1111%eth0",
    "IPv6 unique local": "fd00:ec2::254",
    "IPv6 site-local": "fec0::1",
    "IPv6 multicast": "ff02::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, new": "3fff::1",
    "IPv4-mapped loopback": "::ffff:127.0.0.1",
    "IPv4-mapped public": "::ffff:93.184.216.34",
    "IPv4-compatible": "::127.0.0.1",
    "NAT64 of a private address": "64:ff9b::a01:203",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "NAT64, local": "64:ff9b:1::7f00:1",
    "6to4 of loopback": "2002:7f00:1::1",
    "6to4 of a private address": "2002:a01:203::1",
    "Teredo": "2001::1",
    "discard only": "100::1",
    "no address": "erp.example",
}


def receivers(*answers: str, loopback: bool = False) -> HttpReceivers:
    """Whatever name is asked for, it has these addresses."""
    return HttpReceivers(resolve=lambda host, port: answers, loopback=loopback)


@pytest.mark.parametrize("form", FORMS)
def test_a_url_of_another_form_is_refused_when_it_is_added(form: str) -> None:
    url, word = FORMS[form]
    with pytest.raises(BadReceiver, match=word):
        receivers(PUBLIC).check(url)


@pytest.mark.parametrize("form", FORMS)
def test_a_url_of_another_form_is_refused_when_a_message_is_to_be_sent(form: str) -> None:
    url, word = FORMS[form]
    with pytest.raises(BadReceiver, match=word):
        receivers(PUBLIC).post(url, {}, b"{}")


@pytest.mark.parametrize("what", ADDRESSES)
def test_a_name_that_leads_inside_is_refused_when_it_is_added(what: str) -> None:
    with pytest.raises(BadReceiver, match="not of the public internet"):
        receivers(ADDRESSES[what]).check("https://erp.example/hook")


@pytest.mark.parametrize("what", ADDRESSES)
def test_a_name_that_leads_inside_is_refused_when_a_message_is_to_be_sent(what: str) -> None:
    with pytest.raises(BadReceiver, match="not of the public internet"):
        receivers(ADDRESSES[what]).post("https://erp.example/hook", {}, b"{}")


def test_one_address_inside_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(BadReceiver, match="not of the public internet"):
        receivers(PUBLIC, "127.0.0.1").check("https://erp.example/hook")


def test_what_a_name_means_inside_is_not_told() -> None:
    """Or a party could ask our resolver for the machines of our network."""
    with pytest.raises(BadReceiver) as refused:
        receivers("10.1.2.3").check("https://erp.example/hook")
    assert "10.1.2.3" not in str(refused.value)


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(BadReceiver, match="has no address"):
        receivers().check("https://erp.example/hook")


def test_a_name_that_nobody_knows_is_refused() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(BadReceiver, match="cannot be resolved"):
        HttpReceivers(resolve=unknown).check("https://erp.example/hook")


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "172.32.0.1", "2606:4700::1111", "2001:4860:4860::8888"]
)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://erp.example/hook",
        "https://ERP.example:443/a/b?c=d&e=%20",
        "https://erp.example:8443",
        "https://xn--fiqs8s.xn--fiqs8s/",
    ],
)
def test_an_ordinary_url_is_taken(url: str) -> None:
    receivers(PUBLIC, "2606:4700::1111").check(url)


def test_what_is_asked_for_and_of_whom_is_as_it_was_given() -> None:
    found = read_receiver("https://ERP.example:8443?a=b", loopback=False)
    assert (found.host, found.port, found.target) == ("erp.example", 8443, "/?a=b")
    assert found.authority == "erp.example:8443"
    assert read_receiver("https://erp.example:443/", loopback=False).authority == "erp.example"


# -- demonstrations ------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_demonstration_may_send_to_its_own_machine(host: str) -> None:
    own = "::1" if ":" in host else "127.0.0.1"
    receivers(own, loopback=True).check(f"http://{host}:9000/hook")


def test_its_own_machine_is_refused_where_nobody_has_allowed_it() -> None:
    with pytest.raises(BadReceiver):
        HttpReceivers(resolve=lambda host, port: ["127.0.0.1"]).check("http://localhost:9000/hook")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        pytest.param("http://localhost:9000/", "10.0.0.1", id="the own name, led elsewhere"),
        pytest.param("http://localhost:9000/", PUBLIC, id="the own name, led outside"),
        pytest.param("http://erp.example:9000/", PUBLIC, id="http to somebody else"),
        pytest.param("https://erp.example/", "127.0.0.1", id="another name, led to us"),
        pytest.param("https://10.0.0.1/", "10.0.0.1", id="a private address"),
        pytest.param("http://2130706433:9000/", "127.0.0.1", id="loopback as a number"),
        pytest.param("http://localhost:0/", "127.0.0.1", id="no port"),
        pytest.param("http://localhost:65536/", "127.0.0.1", id="a port that there is not"),
    ],
)
def test_a_demonstration_may_send_nowhere_else(url: str, address: str) -> None:
    with pytest.raises(BadReceiver):
        receivers(address, loopback=True).check(url)
