"""A receiver of webhooks and a mail server, for the long proofs. Both remember what they took."""

import http.server
import socketserver
import threading


class Hooks:
    """Takes messages; each as its headers (in lower case) and its body."""

    def __init__(self):
        taken, lock = [], threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with lock:
                    taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.taken = taken
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()


class Mails:
    """Takes e-mail over SMTP; each as its recipient and the whole message. Every `busy`th recipient is told to come back later."""

    def __init__(self, busy=0):
        taken, lock, asked = [], threading.Lock(), [0]

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                say = lambda line: self.wfile.write(line.encode() + b"\r\n")
                try:
                    say("220 mail.example.com ESMTP")
                    to = ""
                    while line := self.rfile.readline():
                        word = line.strip().split(b" ")[0].split(b":")[0].upper()
                        if word == b"EHLO":
                            say("250-mail.example.com")
                            say("250 8BITMIME")
                        elif word == b"RCPT":
                            to = line.split(b"<")[1].split(b">")[0].decode()
                            with lock:
                                asked[0] += 1
                                is_busy = busy and asked[0] % busy == 0
                            say("451 4.3.0 later" if is_busy else "250 2.1.5 yes")
                        elif word == b"DATA":
                            say("354 go on")
                            lines = []
                            while (line := self.rfile.readline()) and line != b".\r\n":
                                lines.append(line[1:] if line.startswith(b".") else line)
                            if not line:
                                return
                            with lock:
                                taken.append((to, b"".join(lines)))
                            say("250 2.0.0 taken")
                        elif word == b"QUIT":
                            say("221 bye")
                            return
                        else:
                            say("250 yes")
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

        self.taken = taken
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
