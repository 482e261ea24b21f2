"""What is measured: every row, by name."""

from measure import Row, Side
from peers import LettrePool, Mailmerge, Mailshot, MailshotAgain, Nodemailer, Smtplib, SmtplibMimeText, SmtpSource
from servers import Behind, Postfix, Sandbox, SmtpSink

KB = 1000


def offer_octets(tools):
    """The size that the offer comes to, for those who send a mail of the same size."""
    sender = Mailshot(tools, "offer")
    return lambda sizes: round(sizes.sample(sender, 0))


def sink(tools, connections, target):
    """The offer, against a server that throws mails away on as many threads as there are cores."""
    def server():
        return Sandbox(tools)

    return Row(
        f"sink-{connections}",
        f"36 KB from a 23 KB template, discarding sandbox, {connections} connections",
        connections,
        [
            Side(Mailshot(tools, "offer"), server, None),
            Side(SmtpSource(tools), server, offer_octets(tools), target),
        ],
    )


def smtp_sink(tools, connections, targets):
    """10 KB, against smtp-sink and with everybody else."""
    def side(sender, target=None):
        return Side(sender(tools), SmtpSink, 10 * KB, target)

    peers = [SmtpSource, LettrePool, Nodemailer, Smtplib, SmtplibMimeText, Mailmerge]
    return Row(
        f"smtp-sink-{connections}",
        f"10 KB, smtp-sink, {connections} connection{'s' * (connections > 1)}",
        connections,
        [side(Mailshot), *(side(peer, targets.get(peer)) for peer in peers)],
    )


def delay(tools, connections, chunking):
    """30 KB over 50 ms, with PIPELINING alone or with CHUNKING too."""
    without = () if chunking else ("chunking",)

    def server():
        return Behind(tools, Sandbox(tools, without=without), 50)

    sides = [
        Side(Mailshot(tools), server, 30 * KB),
        Side(SmtpSource(tools), server, 30 * KB, 40 if chunking else 2.9),
    ]
    if not chunking:
        sides.append(Side(LettrePool(tools), server, 30 * KB, 3.5))
    name, offers = ("chunking", "CHUNKING") if chunking else ("delay", "PIPELINING only")
    return Row(
        f"{name}-{connections}",
        f"30 KB, 50 ms away, {offers}, {connections} connection{'s' * (connections > 1)}",
        connections,
        sides,
        is_slow=True,
    )


def postfix(tools, connections):
    """What CHUNKING brings where there is no delay to save."""
    return Row(
        f"postfix-{connections}",
        f"10 KB, Postfix with CHUNKING, {connections} connection{'s' * (connections > 1)}",
        connections,
        [
            Side(Mailshot(tools), lambda: Postfix(chunking=True), 10 * KB),
            Side(Mailshot(tools), lambda: Postfix(chunking=False), 10 * KB, 1.0, "mailshot, PIPELINING only"),
        ],
    )


def tls(tools):
    return Row(
        "tls",
        "30 KB with TLS, discarding sandbox, 50 connections",
        50,
        [
            Side(Mailshot(tools), lambda: Sandbox(tools, tls=True), 30 * KB),
            Side(Mailshot(tools), lambda: Sandbox(tools), 30 * KB, 0.6, "mailshot without TLS"),
        ],
    )


def ledger(tools, connections):
    """What the record costs, beside a build that keeps none."""
    def side(program, **more):
        return Side(MailshotAgain(tools, program), lambda: Sandbox(tools), 10 * KB, **more)

    return Row(
        "ledger",
        f"10 KB with the ledger, discarding sandbox, {connections} connections",
        connections,
        [side(tools.mailshot), side(tools.unrecorded, target=0.9, label="mailshot without a record")],
    )


def default_rows(tools):
    """What `scripts/bench` runs."""
    return [
        sink(tools, 50, 1.0),
        sink(tools, 10, 0.9),
        smtp_sink(tools, 10, {SmtpSource: 0.97, Mailmerge: 15, Smtplib: 11, Nodemailer: 4}),
        delay(tools, 1, chunking=False),
        delay(tools, 10, chunking=False),
        delay(tools, 1, chunking=True),
        delay(tools, 10, chunking=True),
        postfix(tools, 1),
        postfix(tools, 10),
        tls(tools),
        ledger(tools, 10),
    ]


def matrix_row(tools, is_tls, connections, round_trip_ms):
    """Everybody who can, side by side."""
    def server():
        sandbox = Sandbox(tools, tls=is_tls)
        return Behind(tools, sandbox, round_trip_ms) if round_trip_ms else sandbox

    peers = [LettrePool, Nodemailer, Smtplib, SmtplibMimeText]
    # smtp-source knows no TLS, and mailmerge only with a login; mailmerge has one connection at a time.
    if not is_tls:
        peers = [SmtpSource, *peers] + [Mailmerge] * (connections == 1)
    link = "tls" if is_tls else "plain"
    return Row(
        f"{link}-{connections}-{round_trip_ms}ms",
        f"10 KB, discarding sandbox, {link}, {connections} connection{'s' * (connections > 1)}, {round_trip_ms} ms",
        connections,
        [Side(sender(tools), server, 10 * KB) for sender in [Mailshot, *peers]],
        is_slow=round_trip_ms > 0,
    )


def matrix_rows(tools):
    """Every peer at 1, 10 and 50 connections, at 0 and 50 ms, plain and with TLS: `scripts/bench matrix`."""
    return [
        matrix_row(tools, is_tls, connections, round_trip_ms)
        for round_trip_ms in (0, 50)
        for is_tls in (False, True)
        for connections in (1, 10, 50)
    ] + [smtp_sink(tools, connections, {}) for connections in (1, 50)]
