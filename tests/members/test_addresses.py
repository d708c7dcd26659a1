"""A channel says where it wants to be told, and nothing of ours can be reached that way."""

import datetime
import ipaddress
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from members import addresses, posting
from members.deliveries import Batch
from members.errors import AddressRefused, AddressUnresolved
from members.webhook_messages import Message, make_secret

GOOD = {
    "https://shop.example.com/hooks": ("shop.example.com", 443, "/hooks"),
    "https://shop.example.com": ("shop.example.com", 443, "/"),
    "https://SHOP.Example.com./a?b=c": ("shop.example.com", 443, "/a?b=c"),
    "https://shop.example.com:8443/": ("shop.example.com", 8443, "/"),
    "https://xn--fiqs8s.example.cn/": ("xn--fiqs8s.example.cn", 443, "/"),
    "https://93.184.216.34/": ("93.184.216.34", 443, "/"),
    "https://[2606:2800:220:1::1]/": ("2606:2800:220:1::1", 443, "/"),
}

# What must be refused wherever it stands: by how it is written, or by what it is the address of.
INNER = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",  # metadata of most clouds
    "100.100.100.200",  # metadata of Alibaba Cloud
    "100.64.0.1",
    "192.0.0.192",  # metadata of Oracle Cloud
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001:0:7f00:1::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata of AWS over IPv6
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
BAD = [
    "http://shop.example.com/",
    "ftp://shop.example.com/",
    "file:///etc/passwd",
    "//shop.example.com/",
    "shop.example.com",
    "",
    "https://",
    "https:///path",
    "https://user@shop.example.com/",
    "https://user:password@shop.example.com/",
    "https://shop.example.com@10.0.0.1/",
    "https://shop.example.com/#fragment",
    "https://shop.example.com/#",
    "https://shop.example.com:22/",
    "https://shop.example.com:6379/",
    "https://shop.example.com:0/",
    "https://shop.example.com:/",
    "https://shop.example.com:99999/",
    "https://shop.example.com:x/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://redis/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://shop.example.0x7f/",
    "https://１２７.０.０.１/",
    "https://ⓛocalhost/",
    "https://shop。example.com/",
    "https://[::ffff:7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://127.0.0.1%2f@shop.example.com/",
    "https://shop.example.com\\@10.0.0.1/",
    "https://shop.example.com/\r\nHost: x",
    "https://shop example.com/",
    "https://-shop.example.com/",
    "https://shop..example.com/",
    "https://" + "a" * 64 + ".example.com/",
    "https://shop.example.com/" + "a" * 500,
]


@pytest.mark.parametrize("url", GOOD)
def test_an_address_of_the_internet_is_read(url: str) -> None:
    target = addresses.read(url)
    assert (target.host, target.port, target.path) == GOOD[url]


@pytest.mark.parametrize("url", BAD)
def test_what_is_not_plainly_an_https_address_of_the_internet_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        addresses.read(url)


@pytest.mark.parametrize("address", INNER)
def test_an_inner_address_is_refused_written_out_or_behind_a_name(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = f"[{address}]" if ":" in address else address
    for this_machine in (False, True):
        if this_machine and ipaddress.ip_address(address).is_loopback:
            continue
        with pytest.raises(AddressRefused):
            addresses.read(f"https://{host}/", this_machine=this_machine)
        found = [ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address(address)]
        monkeypatch.setattr(addresses, "look_up", lambda host, port, found=found: found)
        target = addresses.read("https://shop.example.com/", this_machine=this_machine)
        with pytest.raises(AddressRefused):
            addresses.resolve(target, this_machine=this_machine)


def test_the_demo_may_speak_http_to_this_machine_and_to_nobody_else() -> None:
    for url in ("http://127.0.0.1:8000/", "http://localhost:8000/", "http://[::1]:80/"):
        addresses.read(url, this_machine=True)
        with pytest.raises(AddressRefused):
            addresses.read(url)
    for url in ("http://10.0.0.1/", "http://shop.example.com/", "https://shop.example.com:8000/"):
        with pytest.raises(AddressRefused):
            addresses.read(url, this_machine=True)
    assert addresses.resolve(addresses.read("http://localhost:1/", this_machine=True), this_machine=True)


def test_a_name_without_an_address_is_told_apart() -> None:
    with pytest.raises(AddressUnresolved):
        addresses.look_up("a" * 64, 443)


# --- the connection goes to the address that was looked at ----------------------------------------------


def certificate(folder: Path, name: str) -> Path:
    """A certificate for a name, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Secure(HTTPServer):
    """A server with a certificate; notes the name in SNI and in Host."""

    def __init__(self, pem: Path) -> None:
        self.names: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.names.append(self.headers["host"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.sni_callback = lambda socket, name, context: self.names.append(name)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a certificate that is not accepted ends the connection


@pytest.mark.parametrize(("name", "status"), [("shop.example.com", 204), ("other.example.com", None)])
def test_a_name_is_looked_up_once_and_stands_in_sni_host_and_certificate(
    name: str, status: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path, name)
    asked: list[str] = []

    def look_up(host: str, port: int) -> list[addresses.IpAddress]:
        asked.append(host)  # a second look would lead elsewhere
        return [ipaddress.ip_address("127.0.0.1" if len(asked) == 1 else "10.0.0.1")]

    monkeypatch.setattr(addresses, "look_up", look_up)
    monkeypatch.setattr(posting, "trust", lambda: ssl.create_default_context(cafile=str(pem)))
    server = Secure(pem)
    port = server.server_address[1]
    monkeypatch.setattr(addresses, "PORTS", {port})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        now = datetime.datetime.now(datetime.UTC)
        message = Message(1, 0, 7, "points.changed", "points:1:1", 1, 1, {}, now, now)
        url = f"https://shop.example.com:{port}/"
        ((_, outcome),) = posting.send(Batch(1, url, (make_secret(),), 0, (message,), False))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert asked == ["shop.example.com"]
    assert outcome.status == status
    if status:
        assert server.names == ["shop.example.com", f"shop.example.com:{port}"]
    else:
        assert outcome.problem == "tls" and server.names == ["shop.example.com"]
