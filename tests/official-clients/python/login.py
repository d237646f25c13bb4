"""Logs in with msal, as its users do: nothing in it is changed for the emulator
but the address of the authority."""

import base64
import json
import os
import re
import socket
from urllib.parse import urlsplit

import msal
import requests

SCOPE = "https://redis.azure.com/.default"
env = os.environ


def application(credential):
    client = msal.ConfidentialClientApplication(
        env["AZURE_CLIENT_ID"],
        authority=f"{env['AZURE_AUTHORITY_HOST']}/{env['AZURE_TENANT_ID']}",
        client_credential=credential,
        # It would ask the world-wide host about ours.
        instance_discovery=False,
    )
    return client.acquire_token_for_client([SCOPE])


def certificate():
    with open(env["AZURE_CLIENT_CERTIFICATE_PATH"]) as file:
        pem = file.read()

    def section(name):
        return re.search(f"-----BEGIN {name}-----.+?-----END {name}-----", pem, re.S)[0]

    return {
        "private_key": section("PRIVATE KEY"),
        "public_certificate": section("CERTIFICATE"),
    }


def managed_identity():
    client = msal.ManagedIdentityClient(
        msal.SystemAssignedManagedIdentity(), http_client=requests.Session()
    )
    return client.acquire_token_for_client(resource="https://redis.azure.com")


def log_in(token):
    """AUTH and PING as inline commands; both replies."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    address = urlsplit(env["REDIS_PLAIN_URL"])
    replies = b""
    with socket.create_connection((address.hostname, address.port), 30) as redis:
        redis.sendall(f"AUTH {claims['oid']} {token}\r\nPING\r\nQUIT\r\n".encode())
        while data := redis.recv(4096):
            replies += data
    return replies


FLOWS = {
    "client secret": lambda: application(env["AZURE_CLIENT_SECRET"]),
    "certificate": lambda: application(certificate()),
    "App Service managed identity": managed_identity,
}
for flow, ask in FLOWS.items():
    result = ask()
    if "access_token" not in result:
        raise SystemExit(f"{flow}: {result.get('error')}: {result.get('error_description')}")
    replies = log_in(result["access_token"])
    if not replies.startswith(b"+OK\r\n+PONG\r\n"):
        raise SystemExit(f"{flow}: Redis answered {replies!r}")
    print(f"msal, {flow}: logged in")
