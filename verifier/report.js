// What a verification found: named checks with an outcome each, and one verdict.
import { LAW } from "./tables.js";
import { showInstant } from "./time.js";

const FORGED = LAW.report.forged;
export const ASK_AGAIN = LAW.report.askAgain;
const VERDICTS = LAW.report.verdicts;

// A step failed on which all later ones rest; the report already says which.
export class Stop extends Error {}

export class Report {
  constructor(demo) {
    Object.assign(this, { demo, findings: [], signed: [], title: null, verdict: null });
  }

  valid(check, code, message) {
    this.findings.push({ check, outcome: "VALID", code, message, nextStep: "" });
  }

  invalid(check, code, message, nextStep = FORGED) {
    this.findings.push({ check, outcome: "INVALID", code, message, nextStep });
  }

  unknown(check, code, message, nextStep) {
    this.findings.push({ check, outcome: "UNKNOWN", code, message, nextStep });
  }

  // Ends the steps.
  broken(check, code, message) {
    this.invalid(check, code, message);
    throw new Stop();
  }

  // The name of the verdict in the tables.
  conclude() {
    this.verdict = this.concluded();
    return this;
  }

  concluded() {
    if (this.findings.some((finding) => finding.outcome === "INVALID")) return "NOT_GENUINE";
    const open = this.findings.filter(
      ({ check, outcome }) => outcome === "UNKNOWN" && check !== "peers",
    );
    if (this.title === null || open.some((finding) => finding.check !== "currency")) {
      return "CANNOT_SAY";
    }
    if (open.length > 0) return "NOT_KNOWN_CURRENT";
    return LAW.names.endedStatuses.includes(this.title.status) ? "ENDED" : "CURRENT";
  }

  // As `bol verify --json` prints it.
  toValue() {
    const { en, zh } = VERDICTS[this.verdict];
    const value = {
      verdict: en,
      verdictZh: zh,
      demo: this.demo,
      findings: this.findings,
      signed: this.signed.map((act) => ({
        ...act,
        at: showInstant(act.at),
        recordedAt: showInstant(act.recordedAt),
      })),
    };
    if (this.title === null) return value;
    return { ...value, title: { ...this.title, asOf: showInstant(this.title.asOf) } };
  }
}
