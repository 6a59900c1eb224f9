# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hands a request to moto, and the lock around all of moto's state.

The common services answer at "/" through one function, which is called directly: going through moto's own server would
match some hundreds of host patterns and build a Flask context for every call. Whatever is not at "/" goes that way.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from botocore.exceptions import ClientError
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID, responses, utils
from moto.core.base_backend import BackendDict
from moto.core.request import Request as MotoRequest
from moto.fis.models import fis_backends
from moto.iam import models as iam_models
from moto.iam.models import iam_backends, mark_account_as_visited
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs import models as sqs_models
from werkzeug.test import run_wsgi_app

from . import keys
from .server import Answer, Request

# A region that is newer than botocore is a region all the same.
os.environ["MOTO_ALLOW_NONEXISTENT_REGION"] = "true"

LOCK = threading.RLock()
"""Held by whoever reads or writes moto's state: moto is not safe for threads. Never sleep with it."""

WARM = ("events", "secretsmanager", "sqs", "iam", "sts", "monitoring")

_dispatcher = DomainDispatcherApplication(create_backend_app)


class _ServerRequest(MotoRequest):
    from_wsgi_server = True


@cache
def _method_names(handler: type) -> list[str]:
    """What moto computes anew for every call, by far the most expensive part of it for a service as large as EC2."""
    return [name for name, _ in inspect.getmembers(handler, inspect.isfunction)]


vars(responses)["method_names_from_class"] = _method_names
for module in (responses, sqs_models):
    vars(module)["camelcase_to_underscores"] = cache(utils.camelcase_to_underscores)


def _account_of(access_key: str) -> str:
    """As moto's, without a look at partitions in which nothing is: that makes a backend for each."""
    for account, backends in list(iam_backends.items()):
        if any(access_key in backend.access_keys for backend in list(backends.values())):
            return account
    return DEFAULT_ACCOUNT_ID


vars(iam_models)["get_account_id_from"] = _account_of


@cache
def _root_handler(service: str) -> Callable[..., Any] | None:
    """Return the function that answers `service` (a SigV4 signing name) at "/", None if it has several paths."""
    backend_name = _dispatcher.get_backend_for_host(f"{service}.us-east-1.amazonaws.com")
    if backend_name is None:
        return None
    regions = get_backend(backend_name)["123456789012"]
    handler = regions["us-east-1" if "us-east-1" in regions else "aws"].flask_paths.get("/")
    own = getattr(handler, "__func__", None) is responses.BaseResponse.dispatch.__func__  # type: ignore[attr-defined]
    return handler if own and handler.__self__._dispatch is responses.BaseResponse._dispatch else None


def warm(services: tuple[str, ...] = WARM) -> None:
    """Import the services ahead of the first call. CloudFormation is left to its first user: it takes two seconds."""
    for service in services:
        _root_handler(service)


def account_of(access_key: str) -> str:
    """Return the AWS account that an access key belongs to; a key that moto did not issue is the default account's."""
    with LOCK:
        return _account_of(access_key)


def role_exists(account: str, name: str) -> bool:
    """Tell whether an account has a role of this name."""
    with LOCK:
        return any(role.name == name for role in iam_backends[account]["aws"].get_roles())


def role_arn(account: str, name: str) -> str | None:
    """Return the ARN of a role, None if there is none of this name."""
    with LOCK:
        return next((role.arn for role in iam_backends[account]["aws"].get_roles() if role.name == name), None)


def key_arn(account: str, region: str, identifier: str) -> str | None:
    """Return the ARN of a KMS key by any of its identifiers, None if there is none."""
    with LOCK:
        return keys.arn_of(identifier, account, region)


def experiment_template_tags(account: str, region: str, template: str) -> dict[str, str]:
    """Return the tags of an experiment template of FIS, none if it is not there."""
    with LOCK:
        backend = fis_backends[account][region]
        found = backend.experiment_templates.get(template)
        return dict(backend.list_tags_for_resource(found.arn)) if found else {}


def reset() -> None:
    """Forget every resource of every account."""
    with LOCK:
        BackendDict.reset()


def answer(service: str, request: Request, still_wanted: Callable[[], bool] = lambda: True) -> Answer:
    """Let moto answer `request`, made to `service`. Raises whatever moto raises for what it does not know.

    `still_wanted` is asked while nobody else changes moto's state; if it says no, nothing is done.
    """
    handler = _root_handler(service) if request.path == "/" else None  # may import: not with the lock
    with LOCK:
        if not still_wanted():
            return Answer(503)
        if handler is None:
            chunks, status_line, header_items = run_wsgi_app(_dispatcher, _environ(request), buffered=True)
            return Answer(int(status_line.split()[0]), b"".join(chunks), dict(header_items))
        try:
            status, headers, body = _begun(handler, request).call_action()
        except ClientError as error:
            status, headers, body = 400, {}, error.response["Error"]["Message"]
    content = body.encode() if isinstance(body, str) else body or b""
    return Answer(status, content, {name: str(value) for name, value in headers.items()})


def _begun(handler: Callable[..., Any], request: Request) -> responses.BaseResponse:
    """Return moto's object for a request, as its own `_dispatch` makes it.

    What it reads from a request that is sent again and again is read once, except for the account.
    """
    begun: responses.BaseResponse = handler.__self__()  # type: ignore[attr-defined]
    if not request.read:
        moto_request = _ServerRequest(_environ(request))
        begun.setup_class(moto_request, moto_request.raw_url, dict(moto_request.headers))
        if request.read is not None:
            request.read.update(copied(vars(begun)))
        return begun
    vars(begun).update(copied(request.read))
    begun.current_account = begun.get_current_account()
    mark_account_as_visited(begun.current_account, begun.access_key, begun.service_name or "", begun.region)
    return begun


def copied(value: Any) -> Any:
    """Return a copy of dicts and lists and of all in them; other values do not change."""
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if type(value) is list:
        return [copied(item) for item in value]
    return deepcopy(value) if isinstance(value, (dict, list)) else value


def _environ(request: Request) -> dict[str, Any]:
    host = request.headers.get("Host", "127.0.0.1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query_string,
        "RAW_URI": request.target,
        "SERVER_NAME": host.partition(":")[0],
        "SERVER_PORT": host.partition(":")[2] or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.multithread": True,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ
