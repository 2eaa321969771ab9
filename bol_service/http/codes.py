"""The catalogue of error codes: each with its HTTP status, what it means and what to do next.

The codes of the law come from `domain.errors`. `TRANSPORT` adds what HTTP itself can refuse,
`WITNESS` what a witness of other logs refuses, `WEBHOOK` what sending notices is refused for, and
`ABROAD` what the delivery of a bill of another platform is refused for. A code is never changed or
reused.
"""

from __future__ import annotations

from dataclasses import dataclass

from bol_service.domain import errors


@dataclass(frozen=True, kw_only=True)
class Code:
    code: str
    status: int
    title: str
    next_step: str


TRANSPORT: tuple[Code, ...] = (
    Code(
        code="bad_request",
        status=400,
        title="The request is malformed",
        next_step="Correct the request; the detail names the fault.",
    ),
    Code(
        code="not_authenticated",
        status=401,
        title="Who asks is not proven",
        next_step="Get an access token with a client assertion signed by your key.",
    ),
    Code(
        code="not_in_log",
        status=404,
        title="The public log does not hold this",
        next_step="Get /ledger/checkpoint for the size of the log; ask for what lies within it.",
    ),
    Code(
        code="method_not_allowed",
        status=405,
        title="This method does not exist here",
        next_step="Use one of the methods in the Allow header.",
    ),
    Code(
        code="not_acceptable",
        status=406,
        title="The wanted form does not exist",
        next_step="Ask for application/json.",
    ),
    Code(
        code="length_required",
        status=411,
        title="The length of the body is unknown",
        next_step="Send a Content-Length header; chunked bodies are refused.",
    ),
    Code(
        code="too_large",
        status=413,
        title="The body is too large",
        next_step="Send less: a document may have 1,000,000 bytes; its disclosures and a file that "
        "goes with it, 4,000,000 each.",
    ),
    Code(
        code="unsupported_media_type",
        status=415,
        title="The type of the body is not the one expected here",
        next_step="Set Content-Type as the API description says.",
    ),
    Code(
        code="invalid_query",
        status=422,
        title="A parameter is not acceptable",
        next_step="Correct the parameter that the detail names.",
    ),
    Code(
        code="bad_document",
        status=422,
        title="The document breaks rules of the standard",
        next_step="Correct every member that `errors` points at and upload again.",
    ),
    Code(
        code="too_many_requests",
        status=429,
        title="You ask too often",
        next_step="Come back after Retry-After seconds; keep a token until it expires.",
    ),
    Code(
        code="busy",
        status=429,
        title="Too many events are waiting",
        next_step="Send the same bytes again after Retry-After seconds.",
    ),
    Code(
        code="internal",
        status=500,
        title="The service failed",
        next_step="Send the same bytes again; if that fails too, tell the operator the requestId.",
    ),
    Code(
        code="unavailable",
        status=503,
        title="The database does not answer",
        next_step="Try again after Retry-After seconds; nothing was kept of this request.",
    ),
    Code(
        code="uncertain",
        status=503,
        title="It is not certain whether the event was recorded",
        next_step="Send the same bytes again: you get the receipt, or it is recorded now.",
    ),
)
WITNESS: tuple[Code, ...] = (
    Code(
        code="log_not_witnessed",
        status=404,
        title="This log is not witnessed here",
        next_step="Ask the operator of this witness to add the log's key.",
    ),
    Code(
        code="not_signed_by_log",
        status=403,
        title="The checkpoint is not signed by its log",
        next_step="Sign the checkpoint with a key that this witness knows for the origin.",
    ),
    Code(
        code="inconsistent_checkpoint",
        status=422,
        title="The checkpoint does not continue what was cosigned",
        next_step="Prove consistency with the size cosigned last. A log that cannot has forked.",
    ),
)
WEBHOOK: tuple[Code, ...] = (
    Code(
        code="bad_receiver",
        status=422,
        title="Nothing is sent to this address",
        next_step="Give an https address with a public name; the detail names the fault.",
    ),
    Code(
        code="webhook_exists",
        status=409,
        title="You have a webhook to this address",
        next_step="Use the one that GET /v1/webhooks lists, or remove it first.",
    ),
    Code(
        code="too_many_webhooks",
        status=409,
        title="You have as many webhooks as a party may have",
        next_step="Remove one of those that GET /v1/webhooks lists.",
    ),
    Code(
        code="webhooks_off",
        status=501,
        title="This platform sends no webhooks",
        next_step="Read GET /v1/notices instead, or ask the operator to set BOL_WEBHOOK_KEY.",
    ),
)
ABROAD: tuple[Code, ...] = (
    Code(
        code="not_reached",
        status=403,
        title="The party is not registered through this platform",
        next_step="Apply for the registration on the other platform, or act under your name there.",
    ),
    Code(
        code="peer_unreachable",
        status=503,
        title="The other platform gives no answer",
        next_step="Send the same bytes again; until it answers, nothing is released.",
    ),
    Code(
        code="stale_evidence",
        status=503,
        title="The evidence of the other platform is too old",
        next_step="Check again; if it stays so, let the operator compare the platforms' clocks.",
    ),
    Code(
        code="bad_evidence",
        status=422,
        title="The evidence of the other platform proves nothing",
        next_step="Do not rely on it and tell the operator; the other platform has to explain.",
    ),
    Code(
        code="old_evidence",
        status=409,
        title="Newer evidence is kept",
        next_step="Nothing has to be done; what is newer stays.",
    ),
)
CATALOGUE: dict[str, Code] = {
    **{entry.code: entry for entry in (*TRANSPORT, *WITNESS, *WEBHOOK, *ABROAD)},
    **{
        refusal.code: Code(
            code=refusal.code,
            status=refusal.status,
            title=refusal.title,
            next_step=refusal.next_step,
        )
        for refusal in errors.refusals()
    },
}
