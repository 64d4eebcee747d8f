"""A mail server for tests: takes mail on loopback, keeps it as files, and refuses whom its name says.

Arguments: folder for mails, certificate, key, password of the user `sentinel`. Prints its ports as JSON: `plain` (no
login), `starttls` and `implicit` (both want a login), `login` (as `implicit`, without AUTH PLAIN), `misnamed` (as
`implicit`, at 127.0.0.2, which its certificate does not name). Ends when its standard input does.

Recipients whose address begins with `nobody` are refused for good, with `busy` for now until a file `free` stands in the
folder. What was taken is N.eml, and whom it is for N.to, a line each.
"""

import asyncio
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder, certificate, key, password = sys.argv[1:5]


class Sink:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return f"550 5.1.1 <{address}>: no such user here"
        if address.startswith("busy") and not os.path.exists(os.path.join(folder, "free")):
            return "450 4.2.1 this mailbox is busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Sink.count += 1
        base = os.path.join(folder, str(Sink.count))
        with open(base + ".to", "w") as file:
            file.writelines(address + "\n" for address in envelope.rcpt_tos)
        with open(base + ".part", "wb") as file:
            file.write(envelope.content)
        os.rename(base + ".part", base + ".eml")
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    is_right = data.login == b"sentinel" and data.password == password.encode()
    return AuthResult(success=is_right, handled=is_right)


async def main():
    loop = asyncio.get_running_loop()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    wants_login = dict(authenticator=login, auth_required=True)
    kinds = {
        "plain": (dict(), None),
        "starttls": (dict(tls_context=tls, require_starttls=True, **wants_login), None),
        "implicit": (dict(auth_require_tls=False, **wants_login), tls),
        "misnamed": (dict(auth_require_tls=False, **wants_login), tls),
        "login": (dict(auth_require_tls=False, auth_exclude_mechanism=["PLAIN"], **wants_login), tls),
    }
    ports = {}
    for name, (options, context) in kinds.items():
        server = await loop.create_server(
            lambda options=options: SMTP(Sink(), hostname="mail.example.com", **options),
            "127.0.0.2" if name == "misnamed" else "127.0.0.1",
            0,
            ssl=context,
        )
        ports[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
