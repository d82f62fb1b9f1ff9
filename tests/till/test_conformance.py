"""I15: whatever its description allows or forbids, the API answers as the description says."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from databases import Database
from regulars.access import tills
from regulars.service.wsgi import application
from till.conftest import key

EXAMPLES = 10
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.positive_data_acceptance,
    checks.unsupported_method,
    checks.missing_required_header,
    checks.ignored_auth,
]
REJECTED = [400, 401, 403, 404, 405, 406, 409, 411, 413, 415, 422, 428, 429]
ACCEPTED = [
    "2xx",
    401,
    403,
    404,
    409,
    422,
]  # 422 is also for terms that contradict themselves, and bills no voucher is for
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "negative_data_rejection": {"expected-statuses": REJECTED},
            "positive_data_acceptance": {"expected-statuses": ACCEPTED},
        }
    }
)
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, config=CONFIG)


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_i15_every_route_answers_as_it_is_described(case: Any, shop: Database) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {key(*tills.SCOPES)}"}, checks=CHECKS)
