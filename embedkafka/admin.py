"""kafka-python's ``kafka.admin``, so that ``from kafka.admin import ...`` changes in one word."""

from embedkafka.client.admin import *  # noqa: F403  # the same names
from embedkafka.client.admin import __all__ as __all__
