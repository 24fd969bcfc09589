"""Kafka's TLS and SASL settings as Faust wants them."""

from __future__ import annotations

import ssl

from faust.auth import Credentials, SASLCredentials, SSLCredentials

from stream.settings import KafkaSettings


def credentials(settings: KafkaSettings) -> Credentials | None:
    """Return what a worker's clients log in with, or None on a plain connection."""
    context = _tls(settings) if settings.uses_tls else None
    if settings.uses_sasl:
        return SASLCredentials(
            username=settings.username,
            password=settings.password.reveal(),
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context=context) if context is not None else None


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file or None)
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context
