"""TLS is verified: a server's certificate is taken from a known authority or from the one given, and never unseen."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import fhirbridge as fb
from fhirbridge.errors import FinalServerError
from fhirbridge.fhir.server_transport import Limits


class _Patient(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "1"}}]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server with a certificate of its own authority, and the file of that authority."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hospital")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now.replace(year=2100))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority = folder / "authority.pem"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(private)
    server = HTTPServer(("127.0.0.1", 0), _Patient)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}/fhir", authority
    server.shutdown()
    server.server_close()


def test_a_private_authority_is_taken_when_it_is_given(hospital: tuple[str, Path]) -> None:
    base, authority = hospital
    (patient,) = fb.FHIRServer(base, verify=str(authority)).search("Patient")
    assert patient["id"] == "1"


def test_an_unknown_certificate_is_refused_at_once_and_the_cure_said(hospital: tuple[str, Path]) -> None:
    with pytest.raises(FinalServerError, match="certificate was not accepted; give the CA's file with --ca"):
        list(fb.FHIRServer(hospital[0], limits=Limits(tries=1)).search("Patient"))
