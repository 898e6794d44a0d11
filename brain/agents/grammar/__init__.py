"""Understands what an operator writes without a model: a language is one YAML file in this folder. Pure."""

from .request import NAMES, Request, read_request
from .subjects import ALL
from .vocabulary import Kind, Topic

__all__ = ["ALL", "NAMES", "Kind", "Request", "Topic", "read_request"]
