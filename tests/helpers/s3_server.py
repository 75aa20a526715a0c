"""A real S3 server: `python s3_server.py PORT` serves moto on this port of 127.0.0.1.

Moto looks whether a condition holds, then writes: two requests at once could both win. S3 takes them one after
the other, and so does this server.
"""

import io
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

_moto = DomainDispatcherApplication(create_backend_app)
_one_at_a_time = threading.Lock()


def application(environment, start_response):
    # A client that stalls in its upload holds up nobody.
    body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
    environment["wsgi.input"] = io.BytesIO(body)
    with _one_at_a_time:
        return _moto(environment, start_response)


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True)
