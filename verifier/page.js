// The page: files in, the report out; in two languages, by mouse, by drop or by keyboard.
import { utf8 } from "./bytes.js";
import { verifyFile } from "./copy.js";
import { verifyFields } from "./disclosed.js";
import { isDisclosure } from "./disclosure.js";
import { LAW } from "./tables.js";
import { readTrust, TrustError } from "./trust.js";
import { View, visible } from "./view.js";
import { LANGUAGES, Words } from "./words.js";

const MAX_TRUST_BYTES = 1_000_000;

export function start(document, embeddedTrust) {
  new Page(document, embeddedTrust).open();
}

class Page {
  constructor(document, embeddedTrust) {
    this.document = document;
    this.bundle = null; // {name, bytes}
    this.fields = null; // the same, of disclosed fields
    this.trust = null; // what readTrust made
    this.trustName = null;
    this.problem = null; // [word, detail]
    this.report = null;
    this.verifiedAt = null;
    this.timer = null;
    this.turn = 0;
    this.words = new Words(navigator.language.startsWith("zh") ? "zh" : "en");
    if (embeddedTrust !== null) this.takeTrust(utf8(embeddedTrust), null);
  }

  open() {
    const { document } = this;
    for (const name of ["bundle", "trust", "fields"]) {
      this.byId(name).addEventListener("change", ({ target }) => this.takeFiles(target.files));
    }
    this.byId("fields-away").addEventListener("click", () => this.putFieldsAside());
    this.byId("again").addEventListener("click", () => this.run());
    this.byId("print").addEventListener("click", () => globalThis.print());
    for (const language of LANGUAGES) {
      this.byId(`language-${language}`).addEventListener("click", () => this.speak(language));
    }
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.takeFiles(event.dataTransfer.files);
    });
    globalThis.addEventListener("beforeprint", () => {
      for (const closed of document.querySelectorAll("details")) closed.open = true;
    });
    this.speak(this.words.language);
  }

  byId(id) {
    return this.document.getElementById(id);
  }

  speak(language) {
    this.words = new Words(language);
    this.document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    this.document.title = this.words.say("page", "title");
    for (const place of this.document.querySelectorAll("[data-say]")) {
      place.textContent = this.words.say("page", place.dataset.say);
    }
    for (const known of LANGUAGES) {
      this.byId(`language-${known}`).setAttribute("aria-pressed", String(known === language));
    }
    this.show();
  }

  // -- files --------------------------------------------------------------------------------------

  // A trust file says so by its own members, disclosed fields by their first signs; everything else
  // is taken for evidence.
  async takeFiles(files) {
    this.problem = null;
    for (const file of files) {
      if (file.size > LAW.limits.bundleBytes) {
        this.problem = ["tooLarge", file.name];
        continue;
      }
      try {
        const bytes = new Uint8Array(await file.arrayBuffer());
        if (looksLikeTrust(bytes)) this.takeTrust(bytes, file.name);
        else if (isDisclosure(bytes)) this.fields = { name: file.name, bytes };
        else this.bundle = { name: file.name, bytes };
      } catch {
        this.problem = ["unreadable", file.name];
      }
    }
    await this.run();
  }

  takeTrust(bytes, name) {
    try {
      this.trust = readTrust(bytes);
      this.trustName = name;
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      this.trust = null;
      this.problem = ["notTrustFile", error.message];
    }
  }

  // What stays is evidence alone.
  putFieldsAside() {
    this.fields = null;
    this.byId("fields").value = "";
    this.byId("fields").focus();
    return this.run();
  }

  async run() {
    clearTimeout(this.timer);
    this.report = null;
    if (this.problem?.[0] === "failed") this.problem = null;
    if (this.bundle === null && this.fields === null) return this.show();
    const turn = ++this.turn;
    this.byId("verdict").textContent = this.words.say("page", "checking");
    const now = Date.now();
    try {
      const report = await this.judge(now);
      if (turn !== this.turn) return undefined; // another file came in meanwhile
      this.report = report;
      this.verifiedAt = now;
      this.expire(report, now);
    } catch (error) {
      this.problem = ["failed", String(error)];
    }
    return this.show();
  }

  // Disclosed fields go with the evidence that is there; without it nobody can say.
  async judge(now) {
    const { bundle, fields, trust } = this;
    const evidence = bundle === null ? null : await verifyFile(bundle.bytes, trust, now);
    return fields === null ? evidence : verifyFields(fields.bytes, evidence, trust);
  }

  // A page left open must not stay green: it asks again when the statement grows stale.
  expire(report, now) {
    if (report.verdict !== "CURRENT") return;
    const until = report.currentUntil ?? report.title.asOf + this.trust.maxAge * 1000;
    const left = until + 1 - now;
    this.timer = setTimeout(() => this.run(), Math.min(Math.max(left, 1000), 2 ** 31 - 1));
  }

  // -- the report ---------------------------------------------------------------------------------

  show() {
    const { report } = this;
    this.byId("problem").replaceChildren(...(this.problem === null ? [] : [this.problemText()]));
    this.byId("trust-state").textContent = this.trustText();
    this.byId("bundle-state").textContent = this.bundle === null ? "" : visible(this.bundle.name);
    this.byId("fields-state").textContent = this.fields === null ? "" : visible(this.fields.name);
    this.byId("fields-away").hidden = this.fields === null;
    this.byId("result").hidden = report === null;
    if (report === null) {
      this.byId("verdict").textContent = "";
      this.byId("verdict").className = "";
      return;
    }
    new View(this.document, this.words).show(report, this.verifiedAt);
  }

  problemText() {
    const [word, detail] = this.problem;
    const problem = this.document.createElement("p");
    problem.className = "problem";
    problem.textContent = visible(`${this.words.say("page", word)}: ${detail}`);
    return problem;
  }

  trustText() {
    if (this.trust === null) return "";
    const name = this.trustName === null ? "" : ` (${this.trustName})`;
    return visible(`${this.words.say("page", "trusted")}: ${this.trust.origin}${name}`);
  }
}

function looksLikeTrust(bytes) {
  if (bytes.length > MAX_TRUST_BYTES) return false;
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    return value !== null && typeof value === "object" && "logKeys" in value;
  } catch {
    return false;
  }
}
