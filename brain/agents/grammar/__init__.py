"""Understands what an operator writes without a model: a language is one YAML file in this folder. Pure."""

from __future__ import annotations

from .request import ALL, Request, read_request
from .vocabulary import Kind, Topic

__all__ = ["ALL", "Kind", "Request", "Topic", "read_request"]
