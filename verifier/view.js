// How a report is shown. Nothing of a file ever becomes markup: all text is set as text, and
// characters that hide or reorder are shown by their number.
import { billFacts, custodyRows, endorsementChain } from "./bill.js";
import { hex } from "./bytes.js";
import { fieldLines, fieldName, inOrder } from "./fields.js";
import { sha256 } from "./sha2.js";
import { LAW } from "./tables.js";
import { rangeClass } from "./text.js";

const HIDDEN_SIGN = new RegExp(`[${rangeClass(LAW.text.refused)}]`, "gu");
const SYMBOLS = { VALID: "✓", INVALID: "✗", UNKNOWN: "?" };
const VERDICT_SYMBOLS = {
  CURRENT: "✓",
  ENDED: "■",
  NOT_KNOWN_CURRENT: "◷",
  NOT_GENUINE: "✗",
  CANNOT_SAY: "?",
};

export function visible(text) {
  return text.replace(HIDDEN_SIGN, (sign) => {
    const number = sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    return sign === "\n" ? "\n" : `⟨U+${number}⟩`;
  });
}

// The places of the page that bear a report, filled in one language.
export class View {
  constructor(document, words) {
    this.document = document;
    this.words = words;
  }

  // `verifiedAt` is the time on the reader's clock.
  show(report, verifiedAt) {
    this.report = report;
    this.showVerdict(report, verifiedAt);
    this.fill("checks", this.checkItems(report));
    if (report.ofEvidence === undefined) this.showBill(report);
    else this.showFields(report);
  }

  showBill(report) {
    const facts = billFacts(report.shown, report.title);
    const rows = [...this.titleFacts(report), ...facts];
    this.section("bill", rows.length === 0 ? [] : [this.factList(rows)]);
    this.section("chain", report.title === null ? [] : this.chainTable(report));
    this.section("custody", report.shown.world === null ? [] : this.custodyTables(report));
    this.section("proof", report.evidence === null ? [] : this.proofParts(report));
    this.section("disclosed", []);
  }

  // Of the evidence beside them only its checks and its proof are shown.
  showFields(report) {
    const { ofEvidence, presentation } = report;
    for (const id of ["bill", "chain", "custody"]) this.section(id, []);
    this.section("disclosed", presentation === null ? [] : this.fieldParts(report));
    const isThere = ofEvidence !== null && ofEvidence.evidence !== null;
    this.section("proof", isThere ? [...this.evidenceChecks(ofEvidence), ...this.proofParts(ofEvidence)] : []);
  }

  byId(id) {
    return this.document.getElementById(id);
  }

  showVerdict(report, verifiedAt) {
    const { verdict } = report;
    const place = this.byId("verdict");
    place.className = `verdict ${verdict.toLowerCase().replaceAll("_", "-")}`;
    place.replaceChildren(
      this.make("span", { class: "symbol", "aria-hidden": "true" }, VERDICT_SYMBOLS[verdict]),
      this.make("strong", {}, this.words.verdict(verdict)),
      this.make("span", { class: "other" }, this.words.other(verdict)),
    );
    const demo = report.demo ? [this.make("p", { class: "demo" }, this.words.say("page", "demo"))] : [];
    const partial = report.title !== null && !report.title.replayed;
    const told = partial ? [this.make("p", {}, this.words.say("page", "partial"))] : [];
    const copied = report.printed && report.evidence !== null;
    const notice = copied ? [this.make("p", { class: "printed" }, this.words.say("page", "printed"))] : [];
    const when = `${this.words.say("page", "verifiedAt")} ${this.time(verifiedAt)}`;
    const steps = this.nextSteps(report).map((step) => this.make("li", {}, step));
    this.fill("summary", [
      ...demo,
      ...notice,
      ...told,
      this.make("h2", {}, this.words.say("page", "next")),
      this.make("ul", { class: "next" }, steps),
      this.make("p", { class: "quiet" }, when),
    ]);
  }

  nextSteps(report) {
    const open = report.findings.map((finding) => finding.nextStep).filter(Boolean);
    const steps = open.length > 0 ? open : [report.verdict];
    return [...new Set(steps)].map((step) => this.words.next(step));
  }

  checkItems({ findings }) {
    return findings.map((finding) => this.findingItem(finding));
  }

  evidenceChecks(report) {
    const title = this.make("h3", {}, this.words.say("page", "evidenceChecks"));
    return [title, this.make("ol", { class: "checks" }, this.checkItems(report))];
  }

  findingItem({ check, code, message, nextStep, outcome }) {
    const next = nextStep === "" ? "" : `→ ${this.words.next(nextStep)}`;
    return this.make("li", { class: `finding ${outcome.toLowerCase()}`, "data-code": code }, [
      this.make("span", { class: "symbol", "aria-hidden": "true" }, SYMBOLS[outcome]),
      this.make("span", { class: "told" }, [
        this.make("strong", {}, this.words.say("checks", check)),
        ` ${this.words.say("outcomes", outcome)} — ${this.words.finding(code, check)}`,
        this.make("span", { class: "detail" }, message),
        ...(next === "" ? [] : [this.make("span", { class: "step" }, next)]),
      ]),
    ]);
  }

  titleFacts({ shown, title }) {
    if (title === null) return [];
    const bill = shown.world?.bill(title.bill) ?? null;
    const rows = [["status", this.words.law("statuses", title.status)]];
    if (title.possessor !== null) {
      const order = title.inBlank ? this.words.say("page", "inBlank") : this.party(title.titleHolder);
      rows.push(["holder", this.party(title.possessor)], ["titleHolder", order]);
    }
    if (bill !== null && bill.status === "IN_TRANSIT") {
      rows.push(["goesTo", this.party(bill.transit.recipient)]);
    }
    if (bill !== null && bill.home !== null) rows.push(["home", bill.home]);
    if (bill !== null) {
      rows.push(["kind", this.words.law("kinds", bill.kind)], ["carrier", this.party(bill.carrier)]);
    }
    return [...rows, ["asOf", this.time(title.asOf)]];
  }

  // -- disclosed fields ---------------------------------------------------------------------------

  fieldParts(report) {
    const rows = inOrder(report.fields).map(({ outcome, pointer, value }) => [
      [fieldName(pointer, this.words), this.make("span", { class: "detail" }, pointer)],
      fieldLines(value, this.words).map((line) => this.make("div", {}, line)),
      `${SYMBOLS[outcome]} ${this.words.say("outcomes", outcome)}`,
    ]);
    const nothing = this.make("p", {}, this.words.say("page", "nothingDisclosed"));
    const told = rows.length === 0 ? nothing : this.table("disclosed", ["field", "value", "outcome"], rows);
    return [this.factList(this.fieldFacts(report)), told];
  }

  // The status is always told: it is the evidence's, or not known.
  fieldFacts({ currentUntil, findings, ofEvidence, presentation, verdict }) {
    const { claims, hidden } = presentation;
    const isSigned = findings.some(({ code, outcome }) => code === "signed" && outcome === "VALID");
    const isOpen = ["CANNOT_SAY", "NOT_GENUINE"].includes(verdict);
    const title = isOpen ? null : ofEvidence.title;
    const status = title === null ? this.words.say("page", "unknownStatus") : this.words.law("statuses", title.status);
    return [
      ["reference", claims.reference],
      ...(isSigned ? [["signedBy", this.party(claims.carrier)]] : []),
      ["status", status],
      ...(title === null ? [] : [["asOf", this.time(title.asOf)]]),
      ...(currentUntil === null || isOpen ? [] : [["currentUntil", this.time(currentUntil)]]),
      ["statusAt", claims.statusAt],
      ["undisclosed", String(hidden)],
    ];
  }

  factList(rows) {
    const parts = rows.flatMap(([name, value]) => {
      const lines = (Array.isArray(value) ? value : [value]).map((text) => this.make("div", {}, text));
      return [this.make("dt", {}, this.words.say("facts", name)), this.make("dd", {}, lines)];
    });
    return this.make("dl", {}, parts);
  }

  chainTable({ shown, title }) {
    const rows = endorsementChain(shown, title).map((row) => [
      this.time(row.recordedAt),
      this.party(row.actor),
      this.words.law("actions", row.action),
      row.possessor === null ? "" : this.party(row.possessor),
      row.order === null ? "" : this.order(row.order),
    ]);
    const heads = ["when", "who", "act", "possession", "order"];
    return rows.length === 0 ? [] : [this.table("chain", heads, rows)];
  }

  order({ final, titleHolder }) {
    if (titleHolder === null) return this.words.say("page", "inBlank");
    const closed = final ? ` (${this.words.say("page", "final")})` : "";
    return `${this.party(titleHolder)}${closed}`;
  }

  custodyTables({ shown }) {
    return [...custodyRows(shown)].flatMap(([container, acts]) => {
      const rows = acts.map((act) => [
        `${act.localDate} · ${this.time(act.occurredAt)}`,
        this.party(act.actor),
        this.words.law("actions", act.action),
        this.seals(act),
      ]);
      const heads = ["occurred", "who", "act", "seals"];
      return [this.make("h3", {}, container), this.table("custody", heads, rows)];
    });
  }

  seals({ seals, surprise }) {
    const warning = surprise ? [`⚠ ${this.words.say("page", "sealException")}`] : [];
    return [...(seals ?? []), ...warning].join(" ");
  }

  proofParts({ evidence, printed, signed }) {
    const rows = signed.map((act) => [
      String(act.index),
      this.time(act.recordedAt),
      this.party(act.actor),
      `${this.words.law("actions", act.action)} · ${act.stream}`,
      act.kid,
    ]);
    const name = printed ? "evidenceDigest" : "fileDigest";
    const digest = `${this.words.say("page", name)}: ${hex(sha256(evidence))}`;
    const heads = ["entry", "when", "who", "act", "key"];
    const acts = rows.length === 0 ? [] : [this.table("acts", heads, rows)];
    return [this.make("p", { class: "digest" }, digest), ...acts];
  }

  // -- small parts --------------------------------------------------------------------------------

  // The legal name, in the reader's script where the party registered one.
  party(slug) {
    const identity = this.report.shown.world?.party(slug)?.identity;
    const local = this.words.language === "zh" ? identity?.legalNameLocal : null;
    const name = local ?? identity?.legalName ?? slug;
    return name === slug ? slug : `${name} (${slug})`;
  }

  // UTC as it is stored, and the reader's own time with its zone.
  time(moment) {
    const utc = new Date(moment).toISOString().replace("T", " ").slice(0, 16);
    // The Swedish way of writing a moment is that of ISO 8601.
    const local = new Date(moment).toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "short" });
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return zone === "UTC" ? `${utc} UTC` : `${utc} UTC (${local} ${zone})`;
  }

  table(caption, heads, rows) {
    const head = heads.map((name) => this.make("th", { scope: "col" }, this.words.say("page", name)));
    const body = rows.map((cells) =>
      this.make("tr", {}, cells.map((cell, at) =>
        this.make("td", { "data-head": this.words.say("page", heads[at]) }, cell),
      )),
    );
    return this.make("table", {}, [
      this.make("caption", {}, this.words.say("page", caption)),
      this.make("thead", {}, [this.make("tr", {}, head)]),
      this.make("tbody", {}, body),
    ]);
  }

  section(id, parts) {
    this.byId(`${id}-section`).hidden = parts.length === 0;
    this.fill(id, parts);
  }

  fill(id, parts) {
    this.byId(id).replaceChildren(...parts);
  }

  // An element whose content is text, or elements that were made here.
  make(name, attributes, content) {
    const element = this.document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    for (const part of Array.isArray(content) ? content : [content]) {
      element.append(typeof part === "string" ? visible(part) : part);
    }
    return element;
  }
}
