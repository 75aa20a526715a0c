"""TLS connections to a cluster that check certificates as kubectl does."""

import ssl

import urllib3


class TLSConnection(urllib3.connection.HTTPSConnection):
    """A connection that checks certificates as kubectl does, with a context of its own.

    Each connection loads the client's certificate into its own context: two threads that did so to the same
    context at the same time would corrupt memory.
    """

    def connect(self) -> None:
        """Connect with a new context."""
        required = urllib3.util.ssl_.resolve_cert_reqs(self.cert_reqs)
        self.ssl_context = tls_context(required, any_authority=not (self.ca_certs or self.ca_cert_data))
        super().connect()


class TLSConnectionPool(urllib3.HTTPSConnectionPool):
    """A pool of such connections."""

    ConnectionCls = TLSConnection


def tls_context(required: int, *, any_authority: bool) -> ssl.SSLContext:
    """Return a context that checks certificates as kubectl does.

    By default, Python 3.13 also rejects a certificate authority whose own certificate lacks an extension (key
    usage, authority key identifier), as those of older clusters do.
    """
    context: ssl.SSLContext = urllib3.util.ssl_.create_urllib3_context(cert_reqs=required)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if any_authority:
        context.load_default_certs()
    return context
