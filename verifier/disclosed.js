// Verifies what was disclosed of a bill, beside the evidence of that bill
// (verification/disclosure.py). The evidence has been judged already, by `verifyFile`: it alone
// tells the bill's status, so neither status nor age can be left out.
//
// The steps: file, evidence, bill, commitment, signature, document. Steps after a failed one are not
// run; then each field is VALID, INVALID (not what the document says) or UNKNOWN.
import { UnknownVersion } from "./bundle.js";
import { BadDisclosure, readDisclosure, valueAt } from "./disclosure.js";
import { canonical } from "./jcs.js";
import { BadSignature, verifyJws } from "./jws.js";
import { publicKey } from "./keys.js";
import { keyCountsAt, keyOf } from "./law/party.js";
import { Report, Stop } from "./report.js";
import { LAW } from "./tables.js";
import { showInstant } from "./time.js";
import { nothingShown } from "./verify.js";
import { World } from "./world.js";

const ASK_FOR_ISSUE =
  "Ask the holder for the evidence made for disclosures: bol bill evidence --issue-only.";
const OPEN = ["CANNOT_SAY", "NOT_GENUINE"];

// `ofEvidence` is the report that the fields were judged by, null without one; `currentUntil` when
// it will be too old to call the bill's status current, in milliseconds.
export class FieldsReport extends Report {
  constructor(demo) {
    super(demo);
    Object.assign(this, { fields: [], presentation: null, ofEvidence: null, currentUntil: null });
  }

  // What can be shown beside the fields: what the evidence shows.
  get shown() {
    return this.ofEvidence?.shown ?? nothingShown();
  }

  // Ends the steps.
  open(check, code, message, nextStep) {
    this.unknown(check, code, message, nextStep);
    throw new Stop();
  }

  concluded() {
    const outcomes = this.findings.map(({ outcome }) => outcome);
    if (outcomes.includes("INVALID")) return "NOT_GENUINE";
    if (outcomes.includes("UNKNOWN")) return "CANNOT_SAY";
    return this.ofEvidence.verdict;
  }

  // As `bol verify --json` prints it.
  toValue() {
    const { en, zh } = LAW.report.verdicts[this.verdict];
    const { currentUntil, fields, findings, ofEvidence, presentation } = this;
    return {
      verdict: en,
      verdictZh: zh,
      demo: this.demo,
      findings,
      fields,
      ...(presentation === null ? {} : visibleOf(presentation)),
      ...(currentUntil === null ? {} : { currentUntil: showInstant(currentUntil) }),
      ...(ofEvidence === null ? {} : { evidence: ofEvidence.toValue() }),
    };
  }
}

function visibleOf({ claims, hidden }) {
  const { bill, carrier, carrierCode, origin, reference, statusAt } = claims;
  const issuedAt = showInstant(claims.issuedAt);
  const transportDocumentReference = reference;
  return {
    ...{ bill, transportDocumentReference, carrier, carrierCode, origin, issuedAt, statusAt },
    undisclosed: hidden,
  };
}

// The report on the bytes of a file of disclosed fields; `evidence` is the report on their bill's
// evidence, or null.
export async function verifyFields(bytes, evidence, trust) {
  const report = new FieldsReport(trust?.demo ?? false);
  try {
    const presentation = fileStep(report, bytes);
    evidenceStep(report, presentation, evidence, trust);
    billStep(report, presentation);
    const issue = commitmentStep(report, presentation);
    await signatureStep(report, presentation, issue);
    documentStep(report, presentation);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  report.conclude();
  judgeFields(report);
  return report;
}

function fileStep(report, bytes) {
  try {
    report.presentation = readDisclosure(bytes);
  } catch (error) {
    if (error instanceof BadDisclosure) report.broken("file", "bad_file", error.message);
    if (!(error instanceof UnknownVersion)) throw error;
    report.open("file", "unknown_version", error.message, "Use a newer verifier.");
  }
  const { disclosed, hidden } = report.presentation;
  report.valid("file", "well_formed", `${disclosed.length} fields disclosed, ${hidden} not disclosed`);
  return report.presentation;
}

function evidenceStep(report, { claims }, evidence, trust) {
  if (evidence === null) {
    const message = "without evidence nobody can say who signed, and what has become of the bill";
    const ask = `Get evidence of the bill at ${claims.statusAt} and verify both together.`;
    report.open("evidence", "no_evidence", message, ask);
  }
  report.ofEvidence = evidence;
  const { verdict } = evidence;
  const told = LAW.report.verdicts[verdict].en;
  if (verdict === "NOT_GENUINE") report.broken("evidence", "bad_evidence", `the evidence is ${told}`);
  if (verdict === "CANNOT_SAY" || trust === null) {
    const [step] = evidence.findings.map(({ nextStep }) => nextStep).filter(Boolean);
    report.open("evidence", "unverified_evidence", "the evidence could not be verified", step);
  }
  const { at, status } = evidence.shown.statement;
  if (verdict === "CURRENT") report.currentUntil = at + trust.maxAge * 1000;
  report.valid("evidence", "verified_evidence", `the evidence is ${told}; the bill is ${status}`);
}

function billStep(report, { claims }) {
  const { bill, origin } = report.ofEvidence.shown.statement;
  if (claims.origin !== origin || claims.bill !== bill) {
    const message = `disclosed of bill ${claims.bill} of ${claims.origin}`;
    report.broken("bill", "other_bill", `${message}, the evidence is of bill ${bill} of ${origin}`);
  }
  report.valid("bill", "same_bill", `B/L ${claims.reference} of ${claims.origin}`);
}

// The act with which the bill was issued, if it names this very issuer-signed JWT.
function commitmentStep(report, { claims, signed }) {
  const { events, statement } = report.ofEvidence.shown;
  const issue = events.find(({ event }) => event.stream === `bill:${statement.bill}`);
  if (issue?.event.action !== "ISSUE") {
    const message = "this evidence does not show the act with which the bill was issued";
    report.open("commitment", "issue_hidden", message, ASK_FOR_ISSUE);
  }
  const { actor, disclosure } = issue.event;
  const broken = (code, message) => report.broken("commitment", code, message);
  if (claims.carrier !== actor) {
    broken("other_carrier", `disclosed by ${claims.carrier}, the bill was issued by ${actor}`);
  }
  if (disclosure === null) broken("no_commitment", "the bill was issued without a commitment to its fields");
  if (disclosure !== signed.digest) {
    broken("other_commitment", `ISSUE commits to ${disclosure}, this file has ${signed.digest}`);
  }
  report.valid("commitment", "committed", `ISSUE of ${actor} names ${disclosure}`);
  return issue;
}

async function signatureStep(report, { claims, signed }, issue) {
  const carrier = carrierAt(report, issue);
  const broken = (code, message) => report.broken("signature", code, message);
  const key = keyOf(carrier, signed.kid);
  if (key === null || key.alg !== signed.alg || !keyCountsAt(key, issue.recordedAt)) {
    broken("wrong_key", `${signed.kid} was no valid key of ${issue.event.actor} at the issue`);
  }
  try {
    await verifyJws(signed, publicKey(key.jwk));
  } catch (error) {
    if (!(error instanceof BadSignature)) throw error;
    broken("bad_signature", error.message);
  }
  const { code, provider } = carrier.carrierCode ?? {};
  if (code !== claims.carrierCode || provider !== claims.carrierCodeListProvider) {
    broken("other_carrier_code", `carrier code ${claims.carrierCode} is not that of ${carrier.slug}`);
  }
  report.valid("signature", "signed", `by ${carrier.identity.legalName}, key ${signed.kid}`);
}

// As registered when the bill was issued: later keys do not count, nor do later revocations.
function carrierAt(report, issue) {
  const world = new World(issue.event.audience);
  const isOfParty = ({ event }) => LAW.actions[event.action].law === "party";
  for (const act of report.ofEvidence.shown.events) {
    if (act.index < issue.index && isOfParty(act)) world.apply(act);
  }
  return world.party(issue.event.actor);
}

// Where the evidence holds the document, each value is compared with it.
function documentStep(report, { claims, disclosed }) {
  const { document, facts } = report.ofEvidence.shown;
  if (document === null) return;
  const names = ["reference", "carrierCode", "carrierCodeListProvider"];
  const other = names.find((name) => claims[name] !== facts[name]);
  if (other !== undefined) {
    const message = `disclosed as ${claims[other]}, the document says ${facts[other]}`;
    report.broken("document", "other_document", message);
  }
  const isSame = ({ pointer, value }) => {
    const found = valueAt(document, pointer);
    return found !== undefined && canonical(found) === canonical(value);
  };
  report.fields = disclosed.map((piece) => ({ ...piece, outcome: isSame(piece) ? "VALID" : "INVALID" }));
  const wrong = report.fields.filter(({ outcome }) => outcome === "INVALID").map(({ pointer }) => pointer);
  if (wrong.length > 0) {
    report.broken("document", "value_differs", `the document says something else at ${wrong.join(", ")}`);
  }
  report.valid("document", "as_in_document", "every disclosed value stands in the document");
}

// Fields that the document has not judged stand or fall with the steps.
function judgeFields(report) {
  const { fields, findings, presentation, verdict } = report;
  if (presentation === null || fields.length > 0) return;
  const last = findings.at(-1);
  let outcome = "UNKNOWN";
  if (!OPEN.includes(verdict)) outcome = "VALID";
  // Forged evidence says nothing about the fields; any later failure does.
  else if (last.outcome === "INVALID" && last.check !== "evidence") outcome = "INVALID";
  report.fields = presentation.disclosed.map((piece) => ({ ...piece, outcome }));
}
