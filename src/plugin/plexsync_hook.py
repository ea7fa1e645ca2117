"""Tells PlexSync about a change in Stash. What Stash starts where PlexSync's own program does not run.

Does what `plexsync hook` does, with the standard library alone: reads Stash's call from standard input, posts the event
within two seconds, keeps it in a spool while PlexSync is away, delivers what was kept with a later call, and answers on
standard output. It always succeeds. Both share one spool, so that one can take the other's place.
"""

import json
import os
import socket
import sys
import threading
import time

VERSION = "0"  # PlexSync puts its own here
SENDING = 2.0  # seconds for all that is sent
CONNECTING = 1.0
SPOOLING = 0.5  # seconds for a lock
LONGEST = 5.0  # seconds, whatever happens
LARGEST_SPOOL = 4 << 20  # bytes; the oldest events are kept
LARGEST_ASIDE = 1 << 20
MOST_AT_ONCE = 500
LARGEST_BATCH = 128 << 10
LONGEST_TEXT = 4096
LONGEST_NAME = 64
TAKEN, REFUSED, NOT_NOW, DENIED = range(4)


def log(level, text):
    """Writes a line with Stash's level: d, i, w or e."""
    plain = "".join(c if c.isprintable() else " " for c in text[:500])
    try:
        sys.stderr.write("\x01%s\x02%s\n" % (level, plain))
        sys.stderr.flush()
    except OSError:
        pass


_answering = threading.Lock()


def answer(outcome):
    """Answers Stash and ends, whatever else still runs."""
    with _answering:
        try:
            sys.stdout.write(json.dumps(outcome))
            sys.stdout.flush()
        finally:
            os._exit(0)


class Spool:
    """Events that wait, one JSON object a line."""

    def __init__(self, folder):
        self.folder = folder
        self.waiting = os.path.join(folder, "waiting.jsonl")

    def size(self):
        try:
            return os.path.getsize(self.waiting)
        except OSError:
            return 0

    def append(self, line, name="waiting.jsonl", largest=LARGEST_SPOOL):
        os.makedirs(self.folder, exist_ok=True)
        with self.locked("lock"):
            with self.open(name, "ab+") as file:
                size = file.seek(0, os.SEEK_END)
                text = line.encode() + b"\n"
                if size > 0:
                    # A power cut may have left half a line: it must not spoil this one.
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        text = b"\n" + text
                if size + len(text) > largest:
                    raise OSError("the spool %s is full (%d bytes); the oldest events are kept" % (self.folder, largest))
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

    def set_aside(self, line, why):
        try:
            self.append(json.dumps({"refused": why, "event": line}), "refused.jsonl", LARGEST_ASIDE)
        except OSError as error:
            log("e", "a refused event could not be set aside: %s" % error)

    def head(self):
        """The oldest events, and how many bytes they take."""
        with self.locked("lock"):
            with self.open(self.waiting, "rb") as file:
                part = file.read(LARGEST_BATCH)
        lines = part.splitlines(keepends=True)[:MOST_AT_ONCE]
        if len(lines) > 1 and not lines[-1].endswith(b"\n"):
            lines.pop()
        return lines

    def cut(self, size):
        """Takes the first bytes off. Whatever happens on the way, events stay twice rather than not at all."""
        if size == 0:
            return
        with self.locked("lock"):
            with self.open(self.waiting, "rb") as file:
                file.seek(size)
                rest = file.read()
            fresh = self.waiting + ".new"
            with self.open(fresh, "wb") as file:
                file.write(rest)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self.waiting)

    def open(self, name, mode):
        opener = lambda path, flags: os.open(path, flags, 0o600)
        return open(os.path.join(self.folder, name), mode, opener=opener)

    def locked(self, name, wait=True):
        return Locked(self.open(name, "ab"), wait)


class Locked:
    """A lock on a file, as PlexSync's own program takes it; the system lets go of it even when the process is killed."""

    def __init__(self, file, wait):
        self.file = file
        until = time.monotonic() + (SPOOLING if wait else 0)
        while not self.try_lock():
            if time.monotonic() >= until:
                raise BlockingIOError("the spool is in use by another call")
            time.sleep(0.002)

    def try_lock(self):
        try:
            try:
                import fcntl

                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except ImportError:
                import msvcrt

                msvcrt.locking(self.file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


class Sender:
    """The way to PlexSync, for as long as one call may take."""

    def __init__(self, url, token):
        self.url = url.rstrip("/") + "/"
        self.token = token
        self.until = time.monotonic() + SENDING

    def left(self):
        return self.until - time.monotonic()

    def post(self, path, body, expected):
        if self.left() <= 0:
            return NOT_NOW, "there was no time left"
        try:
            status, text = self.exchange(path, body)
        except ValueError as error:
            return DENIED, "%r is no address: %s" % (self.url, error)
        except (OSError, EOFError) as error:
            return NOT_NOW, "PlexSync at %s is away: %s" % (self.url, error)
        if status == expected:
            return TAKEN, ""
        why = "PlexSync at %s answered %d %s" % (self.url, status, said(text))
        if status in (400, 413, 415, 422):
            return REFUSED, why
        if status in (408, 429) or status >= 500:
            return NOT_NOW, why
        return DENIED, why

    def send(self, events):
        return self.post("webhooks/stash", events, 202)

    def exchange(self, path, body):
        """One request over a connection of its own. No proxy and no redirect: PlexSync is near."""
        scheme, rest = self.url.split("://", 1)
        authority, _, base = rest.partition("/")
        if scheme not in ("http", "https"):
            raise ValueError("it is neither http nor https")
        host, port = authority, 443 if scheme == "https" else 80
        if ":" in authority.rsplit("]", 1)[-1]:
            host, number = authority.rsplit(":", 1)
            port = int(number)
        connection = connect(host.strip("[]"), port, min(CONNECTING, self.left()))
        with connection:
            if scheme == "https":
                import ssl

                connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host.strip("[]"))
            data = body.encode()
            head = [
                "POST /%s%s HTTP/1.1" % (base, path),
                "Host: " + authority,
                "User-Agent: plexsync-hook-python/" + VERSION,
                "Content-Type: application/json",
                "Content-Length: %d" % len(data),
                "Connection: close",
            ]
            if self.token:
                head.append("Authorization: Bearer " + self.token)
            connection.settimeout(max(self.left(), 0.001))
            connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + data)
            received = b""
            while len(received) < 16 << 10 and not is_whole(received):
                connection.settimeout(max(self.left(), 0.001))
                part = connection.recv(16 << 10)
                if not part:
                    break
                received += part
        top, _, text = received.partition(b"\r\n\r\n")
        words = top.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
            raise EOFError("it gave no answer in HTTP")
        return int(words[1]), text.decode("utf-8", "replace")


def is_whole(received):
    """Whether an answer has come to the end that it told of; one that told of none ends with its connection."""
    top, end, text = received.partition(b"\r\n\r\n")
    for line in top.split(b"\r\n") if end else []:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            return len(text) >= int(value)
    return False


def connect(host, port, limit):
    """Resolving a name has no limit of its own; the one for the whole call ends it."""
    return socket.create_connection((host, port), limit)


def said(text):
    """How PlexSync words a refusal."""
    try:
        refusal = json.loads(text[text.index("{") : text.rindex("}") + 1])
        problems = "".join("; %s %s" % (it["field"], it["problem"]) for it in refusal.get("problems", []))
        return (refusal.get("error", "") + problems)[:300]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def event_of(context):
    """The thin event: what is dependable, and of the rest what has the right shape."""
    given = context.get("input")
    given = given if isinstance(given, dict) else {}
    event = {"type": context.get("type"), "id": context.get("id", 0)}
    fields = context.get("inputFields")
    for name, values, most in (("input_fields", fields, 200), ("source", given.get("source"), 1000)):
        if isinstance(values, list):
            fit = [text for text in values[:most] if isinstance(text, str) and len(text.encode()) <= LONGEST_NAME]
            if fit:
                event[name] = fit
    for name in ("path", "oshash", "destination"):
        value = given.get(name)
        if isinstance(value, str) and 0 < len(value.encode("utf-8", "replace")) <= LONGEST_TEXT:
            event[name] = value
    return event


def deliver(spool, sender):
    """Delivers what earlier calls have kept, as far as the time goes."""
    if spool.size() == 0:
        return
    try:
        sending = spool.locked("sending.lock", wait=False)
    except OSError:
        return  # another call does it
    delivered = 0
    with sending:
        while sender.left() > 0:
            lines = spool.head()
            if not lines:
                break
            texts = [line.decode("utf-8", "replace").rstrip() for line in lines]
            received, _ = sender.send("[" + ",".join(texts) + "]")
            done = len(lines) if received == TAKEN else 0
            if received == TAKEN:
                delivered += len(lines)
            elif received == REFUSED:
                # One bad event makes PlexSync refuse all: each goes by itself, so that it blocks none.
                for text in texts:
                    received, why = sender.send(text)
                    if received == REFUSED:
                        spool.set_aside(text, why)
                        log("e", "an event that was kept is refused and set aside: " + why)
                    elif received == TAKEN:
                        delivered += 1
                    else:
                        break
                    done += 1
            spool.cut(sum(len(line) for line in lines[:done]))
            if done < len(lines):
                break
    if delivered:
        log("i", "delivered %d events that had been kept" % delivered)


def report(context, sender, spool):
    event = event_of(context)
    name = "%s %s" % (event["type"], event["id"])
    line = json.dumps(event, separators=(",", ":"))
    received, why = sender.send(line)
    if received == TAKEN:
        log("d", "delivered " + name)
        if spool:
            deliver(spool, sender)
        return {"output": "delivered"}
    if received == REFUSED:
        if spool:
            spool.set_aside(line, why)
        return {"error": "%s was refused: %s" % (name, why)}
    try:
        if not spool:
            raise OSError("there is no folder for a spool")
        spool.append(line)
    except OSError as error:
        return {"error": "%s is lost: %s, and %s" % (name, why, error)}
    if received == DENIED:
        return {"error": "%s is kept for later, but this will not mend itself: %s" % (name, why)}
    log("w", "kept %s for later: %s" % (name, why))
    return {"output": "spooled"}


def ping(sender, spool):
    received, why = sender.post("webhooks/stash/ping", "{}", 200)
    pong = {"version": VERSION, "variant": "python", "url": sender.url, "reached": received == TAKEN}
    if received != TAKEN:
        pong["problem"] = why
    elif spool:
        deliver(spool, sender)
    pong["spooled"] = spool.size() if spool else 0
    return {"output": pong}


def main():
    call = json.loads(sys.stdin.buffer.read().decode("utf-8", "replace"))
    args = call.get("args") or {}
    folder = (call.get("server_connection") or {}).get("PluginDir")
    spool = Spool(os.path.join(folder, "spool")) if folder else None
    sender = Sender(args.get("url") or "", args.get("token"))
    mode, context = args.get("mode"), args.get("hookContext")
    if mode == "ping":
        return ping(sender, spool)
    if mode not in (None, "hook"):
        return {"error": 'args.mode is neither "hook" nor "ping": %r' % (mode,)}
    if not isinstance(context, dict):
        return {"error": "there is neither args.hookContext nor a mode"}
    return report(context, sender, spool)


def limit():
    time.sleep(LONGEST)
    answer({"error": "the hook took longer than it may; its event may be lost"})


if __name__ == "__main__":
    threading.Thread(target=limit, daemon=True).start()
    try:
        outcome = main()
    except Exception as error:  # whatever it is, Stash has to be answered
        outcome = {"error": "the hook failed: %s: %s" % (type(error).__name__, error)}
    answer(outcome)
