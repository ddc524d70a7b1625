"""A host of the laboratory: serves, calls and listens as it is told, one JSON object a line."""
import json
import socket
import struct
import sys
import threading
import time

NAME = sys.argv[1]
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
ANY = {4: "0.0.0.0", 6: "::"}
received = {}
sniffed = []
floods = {}
lock = threading.Lock()


def family(address):
    return FAMILIES[6 if ":" in address else 4]


def bound(version, kind, port):
    one = socket.socket(FAMILIES[version], kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if version == 6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind((ANY[version], port))
    return one


def serve_udp(one):
    while True:
        data, peer = one.recvfrom(65535)
        with lock:
            key = data.decode(errors="replace").split(" ")[0]
            received[key] = received.get(key, 0) + 1
        if not data.startswith(b"flood"):
            one.sendto(NAME.encode(), peer)


def serve_tcp(one):
    while True:
        peer, _ = one.accept()
        peer.sendall(NAME.encode())
        peer.close()


def start(action, *arguments):
    threading.Thread(target=action, args=arguments, daemon=True).start()


def serve(ports):
    for version in (4, 6):
        for port in ports:
            start(serve_udp, bound(version, socket.SOCK_DGRAM, port))
            listening = bound(version, socket.SOCK_STREAM, port)
            listening.listen(16)
            start(serve_tcp, listening)
    return True


def marked(one, version, tos):
    if tos is not None and version == socket.AF_INET:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    elif tos is not None:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)


def udp(to, port, text="hello", data=None, tos=None, source=0, timeout=0.6):
    version = family(to)
    with socket.socket(version, socket.SOCK_DGRAM) as one:
        marked(one, version, tos)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("::" if version == socket.AF_INET6 else "0.0.0.0", source))
        # Connected: an answer from another address than the one that was asked is not taken.
        one.connect((to, port))
        one.settimeout(timeout)
        try:
            one.send(bytes.fromhex(data) if data else text.encode())
            return one.recv(65535).decode()
        except OSError:
            return None


kept = {}


def open_flow(name, to, port):
    one = socket.socket(family(to), socket.SOCK_DGRAM)
    one.connect((to, port))
    one.settimeout(0.6)
    kept[name] = one
    return True


def use_flow(name):
    one = kept[name]
    try:
        one.send(b"hello")
        return one.recv(65535).decode()
    except OSError:
        return None


def tcp(to, port, timeout=0.6):
    try:
        with socket.create_connection((to, port), timeout=timeout) as one:
            return one.recv(65535).decode()
    except OSError:
        return None


def sniff():
    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))

    def run():
        while True:
            frame, (device, _, kind, _, _) = one.recvfrom(65535)
            if kind != 4:  # not what this host sends
                with lock:
                    sniffed.append((device, frame))

    start(run)
    return True


def seen(text):
    """The frames with a text in them: interface, Ethernet destination, and the text's own IP destination."""
    time.sleep(0.15)
    found = []
    with lock:
        for device, frame in sniffed:
            if text.encode() in frame:
                kind = struct.unpack("!H", frame[12:14])[0]
                if kind == 0x800:
                    to = socket.inet_ntop(socket.AF_INET, frame[30:34])
                else:
                    to = socket.inet_ntop(socket.AF_INET6, frame[38:54])
                found.append([device, frame[:6].hex(":"), to])
    return found


def counted(text):
    with lock:
        return received.get(text, 0)


def flood(name, to, port):
    stop = threading.Event()
    state = {"sent": 0, "stop": stop}

    def run():
        with socket.socket(family(to), socket.SOCK_DGRAM) as one:
            while not stop.is_set():
                for _ in range(20):
                    one.sendto(name.encode(), (to, port))
                    state["sent"] += 1
                time.sleep(0.001)

    floods[name] = state
    start(run)
    return True


def talk(name, to, port):
    """Asks and waits for the answer, again and again: no buffer overflows, so nothing may be lost."""
    stop = threading.Event()
    state = {"sent": 0, "lost": 0, "stop": stop}

    def run():
        with socket.socket(family(to), socket.SOCK_DGRAM) as one:
            one.connect((to, port))
            one.settimeout(2)
            while not stop.is_set():
                state["sent"] += 1
                try:
                    one.send(name.encode())
                    one.recv(65535)
                except OSError:
                    state["lost"] += 1

    floods[name] = state
    start(run)
    return True


def lost(name):
    return floods[name]["lost"]


def flooded(name, stop=False):
    state = floods[name]
    if stop:
        state["stop"].set()
        time.sleep(0.2)
    return state["sent"]


COMMANDS = {
    one.__name__: one
    for one in (serve, udp, tcp, open_flow, use_flow, sniff, seen, counted, flood, flooded, talk, lost)
}

print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    result = COMMANDS[command.pop("do")](**command)
    print(json.dumps(result), flush=True)
