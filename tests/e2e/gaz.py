# SPDX-License-Identifier: BSD-2-Clause
"""The harness of the end-to-end tests: a daemon process, its API and its DNS.

Nothing here sleeps blindly: every wait looks for an event and has a deadline.
"""

import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import botocore.config
import botocore.session
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

import models

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GAZ_BUILD", REPO / "build")).resolve()
GAZETTEERD = BUILD / "gazetteerd"
GAZCTL = BUILD / "gazctl"

PATIENCE = 60  # seconds before a wait gives up; sanitizer builds are slow
TARGET = "Route53AutoNaming_v20170314."
JSON = "application/x-amz-json-1.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"

# Where queries come from. VPC_A and VPC_B are declared by the `daemon`
# fixture; OUTSIDE lies in neither.
VPC_A, VPC_B = "vpc-aaaa1111", "vpc-bbbb2222"
IN_A, IN_B, OUTSIDE = "127.0.10.1", "127.0.30.1", "127.0.20.1"
VPC_OPTIONS = ["--vpc", f"{VPC_A}=127.0.10.0/24", "--vpc", f"{VPC_B}=127.0.30.0/24"]
NEVER = ["--operation-delay", "3600000"]  # no operation ends within a test

# The apex of private zones: Route 53's own values.
SOA_RDATA = ("ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. "
             "1 7200 900 1209600 86400")
PRIVATE_NS = {"ns-1536.awsdns-00.co.uk.", "ns-0.awsdns-00.com.",
              "ns-1024.awsdns-00.org.", "ns-512.awsdns-00.net."}


def clean_env(home, **more):
    """The environment of a child: nothing of the user's AWS or proxy settings."""
    env = {k: v for k, v in os.environ.items()
           if not k.upper().startswith("AWS_") and not k.lower().endswith("_proxy")}
    env.update(HOME=str(home), TMPDIR=str(home), LC_ALL="C.UTF-8", AWS_CONFIG_FILE="/dev/null",
               AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_EC2_METADATA_DISABLED="true",
               AWS_PAGER="", NO_PROXY="*")
    env.update(more)
    return env


def until(what, check, patience=PATIENCE):
    """Ask again and again until `check` gives a true value, which is returned."""
    deadline = time.monotonic() + patience
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {patience} s in vain for: {what}"
        time.sleep(0.002)


class Reply:
    """One HTTP reply."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["__type"]

    @property
    def message(self):
        body = self.json
        return body.get("Message", body.get("message"))

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def scope(region=REGION, key="AKIDEXAMPLE", service="servicediscovery", date="20240101"):
    """An Authorization header whose signature is nonsense: enough where none is checked."""
    return (f"AWS4-HMAC-SHA256 Credential={key}/{date}/{region}/{service}/aws4_request, "
            f"SignedHeaders=host;x-amz-date;x-amz-target, Signature={'0' * 64}")


def records(*types, ttl=60, policy=None):
    """A DnsConfig: records("A"), records(("A", 5), ("AAAA", 7), policy="WEIGHTED")."""
    pairs = [item if isinstance(item, tuple) else (item, ttl) for item in types]
    config = {"DnsRecords": [{"Type": kind, "TTL": own} for kind, own in pairs]}
    if policy:
        config["RoutingPolicy"] = policy
    return config


class Api:
    """AWS JSON 1.1 by hand, so that a test can say what no SDK would."""

    def __init__(self, tcp=None, unix=None, region=None, key="AKIDEXAMPLE"):
        self.tcp, self.unix, self.region, self.key = tcp, unix, region, key

    def at(self, region=None, key=None):
        """The same server, asked as another region or access key id."""
        return Api(self.tcp, self.unix, region or self.region, key or self.key)

    def connect(self):
        if self.unix:
            return _UnixConnection(str(self.unix), PATIENCE)
        return http.client.HTTPConnection(*self.tcp, timeout=PATIENCE)

    def send(self, body, target=None, method="POST", path="/", headers=None, conn=None):
        """One request with any headers and body."""
        fields = {"Content-Type": JSON}
        if target is not None:
            fields["X-Amz-Target"] = target
        if self.region or self.key != "AKIDEXAMPLE":
            fields["Authorization"] = scope(self.region or REGION, self.key)
            fields["X-Amz-Date"] = "20240101T000000Z"
        fields.update(headers or {})
        fields = {k: v for k, v in fields.items() if v is not None}
        own = conn is None
        conn = conn or self.connect()
        try:
            conn.request(method, path, body=body, headers=fields)
            answer = conn.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        finally:
            if own:
                conn.close()
        if method == "POST" and (target or "").startswith(TARGET):
            models.check_reply(target[len(TARGET):], reply.status, reply.body)
        return reply

    def raw(self, operation, conn=None, **members):
        """One operation; the reply, whatever it is, as long as the model allows it."""
        target = operation if "." in operation else TARGET + operation
        return self.send(json.dumps(members).encode(), target, conn=conn)

    def ok(self, operation, conn=None, **members):
        reply = self.raw(operation, conn=conn, **members)
        assert reply.status == 200, f"{operation}: {reply}"
        return reply.json if reply.body else None

    def fails(self, code, operation, status=400, **members):
        """The operation must fail with that modelled error; gives its body."""
        reply = self.raw(operation, **members)
        assert reply.status == status and reply.code == code, f"{operation}: {reply}"
        assert isinstance(reply.json["Message"], str) and reply.json["Message"]
        assert reply.headers["x-amzn-ErrorType"] == code
        return reply.json

    def operation(self, operation_id):
        return self.ok("GetOperation", OperationId=operation_id)["Operation"]

    def wait(self, operation_id):
        """Poll an operation to its end, as every SDK waiter does."""
        def ended():
            found = self.operation(operation_id)
            return found if found["Status"] in ("SUCCESS", "FAIL") else None
        return until(f"the end of operation {operation_id}", ended)

    def done(self, operation, **members):
        """Run an asynchronous operation to SUCCESS; gives the operation."""
        ended = self.wait(self.ok(operation, **members)["OperationId"])
        assert ended["Status"] == "SUCCESS", ended
        return ended

    def failed(self, operation, **members):
        """Run an asynchronous operation to FAIL; gives the operation."""
        ended = self.wait(self.ok(operation, **members)["OperationId"])
        assert ended["Status"] == "FAIL", ended
        assert ended["ErrorCode"] and ended["ErrorMessage"], ended
        return ended

    # The three creations and what hangs below; each gives the new id.

    def create(self, operation, **members):
        return self.done(operation, **members)["Targets"]["NAMESPACE"]

    def http(self, name, **members):
        return self.create("CreateHttpNamespace", Name=name, **members)

    def private(self, name, vpc=VPC_A, ttl=None, **members):
        if ttl is not None:
            members["Properties"] = {"DnsProperties": {"SOA": {"TTL": ttl}}}
        return self.create("CreatePrivateDnsNamespace", Name=name, Vpc=vpc, **members)

    def public(self, name, ttl=None, **members):
        if ttl is not None:
            members["Properties"] = {"DnsProperties": {"SOA": {"TTL": ttl}}}
        return self.create("CreatePublicDnsNamespace", Name=name, **members)

    def service(self, namespace, name, ttl=60, policy=None, **members):
        config = {"DnsRecords": [{"Type": "A", "TTL": ttl}]}
        if policy:
            config["RoutingPolicy"] = policy
        return self.ok("CreateService", Name=name, NamespaceId=namespace, DnsConfig=config,
                       **members)["Service"]["Id"]

    def serve(self, namespace, name, *types, ttl=60, policy=None, **members):
        """A service with records of these types: "A", or ("A", 5) with its own TTL."""
        if types:
            members["DnsConfig"] = records(*types, ttl=ttl, policy=policy)
        return self.ok("CreateService", Name=name, NamespaceId=namespace,
                       **members)["Service"]["Id"]

    def attach(self, service, instance, **attributes):
        """Register an instance with just these attributes."""
        return self.done("RegisterInstance", ServiceId=service, InstanceId=instance,
                         Attributes=attributes)

    def get_service(self, service):
        return self.ok("GetService", Id=service)["Service"]

    def discover(self, namespace, service, **members):
        """The ids that DiscoverInstances finds, in its order."""
        found = self.ok("DiscoverInstances", NamespaceName=namespace, ServiceName=service,
                        **members)
        return [item["InstanceId"] for item in found["Instances"]]

    def revision(self, namespace, service):
        return self.ok("DiscoverInstancesRevision", NamespaceName=namespace,
                       ServiceName=service)["InstancesRevision"]

    def set_health(self, service, instance, status):
        self.ok("UpdateInstanceCustomHealthStatus", ServiceId=service, InstanceId=instance,
                Status=status)

    def register(self, service, instance, ipv4, **attributes):
        return self.done("RegisterInstance", ServiceId=service, InstanceId=instance,
                         Attributes={"AWS_INSTANCE_IPV4": ipv4, **attributes})

    def deregister(self, service, instance):
        return self.done("DeregisterInstance", ServiceId=service, InstanceId=instance)

    def namespace(self, namespace):
        return self.ok("GetNamespace", Id=namespace)["Namespace"]

    def put_vpc(self, vpc, *cidrs):
        return self.ok("Gazetteer.PutVpc", VpcId=vpc, Cidrs=list(cidrs))

    def delete_vpc(self, vpc):
        return self.ok("Gazetteer.DeleteVpc", VpcId=vpc)

    def vpcs(self):
        """VPC id -> (prefixes, declared by configuration)."""
        return {vpc["VpcId"]: (vpc["Cidrs"], vpc["Fixed"])
                for vpc in self.ok("Gazetteer.ListVpcs")["Vpcs"]}

    def tags(self, arn):
        tags = self.ok("ListTagsForResource", ResourceARN=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}


_SESSION = botocore.session.Session()
_SESSION_LOCK = threading.Lock()


def boto(endpoint, region=REGION, key="AKIDEXAMPLE", secret="secret", **config):
    """A botocore client with its own credentials: one try, no discovery prefix. Each
    reply is checked against the model."""
    config.setdefault("retries", {"max_attempts": 0})
    with _SESSION_LOCK:
        client = _SESSION.create_client(
            "servicediscovery", region_name=region, endpoint_url=endpoint,
            aws_access_key_id=key, aws_secret_access_key=secret,
            config=botocore.config.Config(
                inject_host_prefix=False,
                connect_timeout=PATIENCE, read_timeout=PATIENCE, **config))
    client.meta.events.register(
        "after-call.servicediscovery",
        lambda http_response, model, **_: models.check_reply(
            model.name, http_response.status_code, http_response.content))
    return client


def query(name, rdtype="A", edns=None, rd=False, **more):
    """A query message; `edns` is the UDP payload size to announce."""
    kwargs = {"use_edns": False} if edns is None else {"use_edns": 0, "payload": edns}
    message = dns.message.make_query(name, rdtype, **kwargs, **more)
    message.flags = dns.flags.RD if rd else 0
    return message


def exchange_udp(wire, server, source=None):
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        if source:
            sock.bind((source, 0))
        sock.connect(server)
        sock.send(wire)
        return sock.recv(65535)


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise EOFError(f"connection closed after {len(data)} of {count} octets")
        data += more
    return data


def read_tcp(sock):
    """One message off a DNS-over-TCP stream."""
    (length,) = struct.unpack("!H", read_exactly(sock, 2))
    return read_exactly(sock, length)


def open_tcp(server, source=None):
    return socket.create_connection(server, timeout=PATIENCE,
                                    source_address=(source, 0) if source else None)


def exchange_tcp(wire, server, source=None):
    with open_tcp(server, source) as sock:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        return read_tcp(sock)


def addresses(reply):
    """The addresses in the answer section, in their order."""
    return [rdata.address for rrset in reply.answer for rdata in rrset]


def texts(reply):
    """The rdata in the answer section as text, sorted."""
    return sorted(rdata.to_text() for rrset in reply.answer for rdata in rrset)


def answer_ttls(reply):
    """Type -> TTL of the answer section."""
    return {dns.rdatatype.to_text(rrset.rdtype): rrset.ttl for rrset in reply.answer}


def rcode(reply):
    return dns.rcode.to_text(reply.rcode())


def split_address(text):
    """'127.0.0.1:53' or '[::1]:53' or '127.0.0.1:53=vpc' to (host, port)."""
    host, port = text.split("=")[0].rsplit(":", 1)
    return host.strip("[]"), int(port)


SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:|WARNING: ThreadSanitizer")


class Daemon:
    """One gazetteerd on free loopback ports; its data outlives its process."""

    def __init__(self, home, *options, listen=("127.0.0.1:0",), api=("127.0.0.1:0",),
                 ephemeral=False, env=None):
        self.home = pathlib.Path(home)
        self.options, self.listen, self.api_listen = list(options), listen, api
        self.data, self.socket = self.home / "data", self.home / "api.sock"
        self.ephemeral = ephemeral
        self.env = env or {}
        self.process = None
        self.reader = None
        self.log = []  # every line of stderr, of all its lives
        self._news = threading.Condition()

    def command(self):
        args = [str(GAZETTEERD)]
        for address in self.listen:
            args += ["--listen", address]
        for address in self.api_listen:
            args += ["--api", address]
        args += ["--socket", str(self.socket)]
        args += ["--ephemeral"] if self.ephemeral else ["--data", str(self.data)]
        return args + self.options

    def start(self):
        """Start and wait for the ready line."""
        assert self.process is None, "already running"
        first = len(self.log)
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, cwd=self.home,
                                        env=clean_env(self.home, **self.env))
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr,))
        self.reader.start()
        ready = self.wait_log(r"^ready dns=\S*", first)
        assert ready, f"gazetteerd did not become ready:\n{self.stderr()}"
        self._parse_ready(ready)
        return self

    def _read(self, pipe):
        for line in pipe:
            with self._news:
                self.log.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            pipe.close()
            self._news.notify_all()

    def wait_log(self, pattern, first=0, patience=PATIENCE):
        """The first line from number `first` on that matches, or None when the
        process ends or the time is up without one."""
        deadline = time.monotonic() + patience
        with self._news:
            while True:
                for line in self.log[first:]:
                    if re.search(pattern, line):
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or not self.reader.is_alive():
                    return None
                self._news.wait(min(left, 0.2))

    def _parse_ready(self, line):
        fields = dict(part.split("=", 1) for part in line.split()[1:])
        self.ready = fields
        self.dns = [split_address(a) for a in fields["dns"].split(",")]
        apis = [a for a in fields["api"].split(",") if a not in ("", "none", "-")]
        self.apis = [split_address(a) for a in apis]
        self.unix_api = Api(unix=self.socket)
        self.api = Api(tcp=self.apis[0]) if self.apis else self.unix_api

    def stderr(self):
        return "\n".join(self.log[-80:])

    @property
    def endpoint(self):
        host, port = self.apis[0]
        return f"http://{host}:{port}"

    def boto(self, **kwargs):
        return boto(self.endpoint, **kwargs)

    def ask_wire(self, wire, source=None, tcp=False, listener=0):
        exchange = exchange_tcp if tcp else exchange_udp
        return exchange(wire, self.dns[listener], source)

    def ask(self, name, rdtype="A", source=IN_A, tcp=False, listener=0, **more):
        """Ask one question; the reply must belong to it."""
        message = query(name, rdtype, **more)
        if ":" in self.dns[listener][0]:
            source = None
        wire = self.ask_wire(message.to_wire(), source, tcp, listener)
        reply = dns.message.from_wire(wire)
        assert message.is_response(reply), f"not the reply to {message}:\n{reply}"
        return reply

    def stop(self):
        """SIGTERM; the exit status must be 0."""
        self.process.send_signal(signal.SIGTERM)
        status = self._reap()
        assert status == 0, f"exit status {status} after SIGTERM:\n{self.stderr()}"

    def kill(self):
        """kill -9: what was answered must survive this."""
        self.process.kill()
        self._reap()

    def _reap(self):
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"does not end within {PATIENCE} s:\n"
                                 f"{self.stderr()}") from None
        finally:
            self.reader.join()
            self.process = None
        return status

    def restart(self, kill=False):
        """Stop or kill, then start again on the same data."""
        self.kill() if kill else self.stop()
        return self.start()

    def finish(self):
        """For the end of a test: stopped cleanly, and no sanitizer spoke."""
        try:
            if self.process:
                self.stop()
        finally:
            found = [line for line in self.log if SANITIZER.search(line)]
            assert not found, "sanitizer report:\n" + "\n".join(self.log)


def run(args, home, expect=0, stdin=None, patience=2 * PATIENCE, **env):
    """A program to its end, with an exit status that must be as expected."""
    done = subprocess.run([str(a) for a in args], cwd=home, env=clean_env(home, **env),
                          input=stdin, capture_output=True, timeout=patience,
                          encoding="utf-8", errors="replace")
    text = f"{args}\n-> {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert not SANITIZER.search(done.stderr), text
    if expect is not None:
        assert done.returncode == expect, text
    return done


def refused_start(home, *args, expect=None, **env):
    """gazetteerd with these options must give up by itself; gives its stderr."""
    done = run([GAZETTEERD, *args], home, expect, patience=PATIENCE / 2, **env)
    assert done.returncode != 0, f"started in spite of {args}"
    assert done.returncode > 0, f"died of signal {-done.returncode}:\n{done.stderr}"
    assert "ready dns=" not in done.stderr
    return done.stderr


class Crowd:
    """Threads that run until told; the first exception is raised by join()."""

    def __init__(self):
        self.over = threading.Event()
        self.errors = []
        self.threads = []

    def add(self, work, *args):
        def body():
            try:
                work(*args)
            except BaseException as error:  # noqa: handed to join()
                self.errors.append(error)
                self.over.set()
        self.threads.append(threading.Thread(target=body))
        self.threads[-1].start()

    def join(self):
        for thread in self.threads:
            thread.join(4 * PATIENCE)
            assert not thread.is_alive(), "a client thread hangs"
        if self.errors:
            raise self.errors[0]


class FakeApi:
    """An endpoint that speaks the API's protocol. `answer` gives the status and the octets
    of the reply to a target and the octets of a body."""

    def __init__(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, reply = answer(self.headers["X-Amz-Target"], body)
                self.send_response(status)
                self.send_header("Content-Type", JSON)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
