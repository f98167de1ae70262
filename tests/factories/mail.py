"""A mail server of our own, for tests: it takes one letter after the other, and refuses where it is told to."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread


@dataclass
class MailServer:
    """``answers`` replaces the server's own answer to a command, e.g. ``{"RCPT": "550 No such user"}``."""

    address: str = ""
    letters: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server on a free port of this machine that speaks just enough SMTP."""
    state = MailServer()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 hello")
            for line in self.rfile:
                command = line.split()[0].decode().upper()
                state.asked.append(line.decode().strip())
                self.say(state.answers.get(command, self.answer(command)))
                if command == "DATA" and "DATA" not in state.answers:
                    state.letters.append(self.letter())
                    self.say("250 taken")
                if command == "QUIT":
                    return

        def answer(self, command: str) -> str:
            return {"EHLO": "250-us\r\n250 AUTH PLAIN", "DATA": "354 go on", "QUIT": "221 bye", "AUTH": "235 in"}.get(
                command, "250 ok"
            )

        def letter(self) -> EmailMessage:
            lines = iter(self.rfile.readline, b".\r\n")
            return message_from_bytes(b"".join(lines), policy=policy.default)

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.address = f"smtp://meals:p%40ss@127.0.0.1:{server.server_address[1]}"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
