// Step 10: what other platforms and carriers signed about a bill that crossed
// (verification/crossings.py).
import { fromUtf8, hex, utf8 } from "./bytes.js";
import { BadJws, BadSignature } from "./jws.js";
import { parsePeerJws, verifyPeerJws } from "./peerkeys.js";
import { BadMember, readSchema } from "./schemas.js";
import { sha256 } from "./sha2.js";
import { BadJson } from "./strictjson.js";
import { LAW } from "./tables.js";

const { ownCodes, leiList, unnamed, addKeys } = LAW.peers;
const PREVIOUS = "previousEnvelopeTransferChainEntrySignedContentChecksum";
const MANIFEST = "issuanceManifestSignedContent";
const SLUG = new RegExp(`^(?:${LAW.identifiers.forms.slug})$`);

// No finding for a bill that never crossed.
export async function crossingsStep(report, trust, bundle, statement, replayed, world, document) {
  const border = new Border({ report, trust, statement, world, document });
  for (const text of bundle.chains ?? []) border.chains.set(hex(sha256(utf8(text))), text);
  await border.judge(replayed);
}

// `sent` are the last entries of all envelopes that went out, `waits` that of the one without an
// answer, `known` that of the chain which both sides know; `seen` are digests of what was found good.
class Border {
  constructor(facts) {
    Object.assign(this, facts, { waits: null, known: null });
    Object.assign(this, { chains: new Map(), sent: new Set(), seen: new Set(), told: new Set() });
    Object.assign(this, { checked: new Map(), unchecked: new Map() });
  }

  async judge(replayed) {
    for (const item of replayed) await this.event(item);
    if (this.chains.size !== this.told.size) {
      this.broken("chain_differs", "the file holds entries of a chain that nothing names");
    }
    for (const [name, count] of this.checked) {
      const reason = this.unchecked.get(name);
      if (reason === undefined) {
        this.report.valid("peers", "peer_signed", `${name}: ${count} signed by keys of the trust file`);
      } else {
        this.report.unknown("peers", "peer_unchecked", `not checked: ${reason}`, addKeys);
      }
    }
  }

  async event(item) {
    const { event } = item.recorded;
    if (event.action === "SENT") {
      this.sent.add(event.lastEntry);
      this.waits = event.lastEntry;
    } else if (event.action === "MOVED" || event.action === "NOT_MOVED") {
      await this.answer(item);
      if (event.action === "MOVED") this.known = this.waits;
    } else if (event.action === "IMPORTED" || event.action === "RETURNED") {
      await this.arrival(item);
      this.known = event.lastEntry;
    }
  }

  // -- answers ------------------------------------------------------------------------------------

  async answer({ recorded, signed }) {
    const { platform } = recorded.event;
    const { answer } = JSON.parse(fromUtf8(signed.parsed.payload)).details;
    const name = `the answer of ${platform} in entry ${recorded.index}`;
    await this.verify(name, platform, parsePeerJws(answer), recorded.recordedAt);
  }

  // -- chains -------------------------------------------------------------------------------------

  async arrival({ recorded }) {
    const { event, recordedAt } = recorded;
    if (this.statement.control === null) {
      this.miss(event.platform, `a partial file holds no chain of ${event.platform}`);
      return;
    }
    const links = this.links(event);
    if (links === null) return;
    this.checkTold(event, links);
    for (const link of links) await this.checkSigner(link, recordedAt, link === links.at(-1));
    await this.checkIssuance(links[0], recordedAt);
  }

  // The chain that ends with the entry that is named, oldest first.
  links(event) {
    const links = [];
    for (let wanted = event.lastEntry; wanted !== null; wanted = links[0].entry[PREVIOUS]) {
      const text = this.chains.get(wanted);
      if (text === undefined) {
        this.isMissing(event.platform, wanted);
        return null;
      }
      this.told.add(wanted);
      links.unshift(this.link(text));
    }
    return links;
  }

  isMissing(platform, digest) {
    if (this.trust.peers.has(platform)) {
      this.broken("no_chain", `the entry ${digest} of a chain of ${platform} is missing`);
    }
    this.miss(platform, noKey(platform));
  }

  link(text) {
    const read = () => {
      const parsed = parsePeerJws(text);
      return { parsed, entry: readSchema("ChainEntrySchema", parsed.value) };
    };
    const link = this.readOr(read, "an entry of a chain cannot be read");
    const { transportDocumentChecksum: about } = link.entry;
    if (about !== this.statement.bill) {
      this.broken("chain_differs", `an entry of a chain is about ${about}, not about this bill`);
    }
    return link;
  }

  checkTold(event, links) {
    const differs = (why) => {
      this.broken("chain_differs", `the chain that ends with ${event.lastEntry} ${why}`);
    };
    if (links.at(-1).entry.eblPlatform !== event.platform) differs(`is not of ${event.platform}`);
    let told = links.flatMap(({ entry }) => entry.transactions);
    if (event.action === "IMPORTED") {
      if (!this.isIssue(event, told[0], links[0])) differs("tells of another issue");
      told = told.slice(1);
    } else {
      const last = links.findIndex(({ parsed }) => parsed.digest === this.known);
      if (last < 0) differs("does not continue what was known here");
      told = links.slice(last + 1).flatMap(({ entry }) => entry.transactions);
    }
    const agrees = told.length === event.steps.length && told.every((act, at) => this.isTold(act, event.steps[at]));
    if (!agrees) differs("tells of other acts than were recorded");
  }

  isIssue(event, act, link) {
    return (
      act.actionCode === "ISSUE" &&
      link.entry.eblPlatform === event.home &&
      act.recipient !== null &&
      this.names(event.carrier, act.actor) &&
      this.names(event.issueTo, act.recipient)
    );
  }

  isTold(act, step) {
    // A repeated ISSUE is what older toolkits call every transfer.
    const action = act.actionCode === "ISSUE" ? "TRANSFER" : act.actionCode;
    if (action !== step.action || act.reasonCode !== step.reason) return false;
    if (!this.names(step.actor, act.actor)) return false;
    if (act.recipient === null || step.recipient === null) return act.recipient === step.recipient;
    return this.names(step.recipient, act.recipient);
  }

  // Whether the ledger may call the party of a chain by this name.
  names(name, party) {
    if (party.eblPlatform !== this.trust.code) return name === foreignName(party);
    const known = this.world.party(name)?.identity.identifiers ?? [];
    const leis = known.filter(({ type }) => type === "LEI").map(({ value }) => value);
    if (name === unnamed) return true;
    return party.identifyingCodes.some(
      ({ codeListProvider, partyCode }) =>
        (codeListProvider === ownCodes && partyCode === name) ||
        (codeListProvider === leiList && leis.includes(partyCode)),
    );
  }

  // -- signatures ---------------------------------------------------------------------------------

  async checkSigner({ entry, parsed }, recordedAt, isLast) {
    const { digest } = parsed;
    const platform = entry.eblPlatform;
    if (this.seen.has(digest)) return; // it was checked when it became known
    this.seen.add(digest);
    if (platform === this.trust.code) {
      if (!this.sent.has(digest)) {
        this.broken("peer_forged", `the entry ${digest} was never sent by ${platform}`);
      }
      return;
    }
    const madeAt = entry.transactions.at(-1).actionDateTime;
    const moment = isLast ? recordedAt : Math.min(recordedAt, madeAt);
    await this.verify(`the entry ${digest} of ${platform}`, platform, parsed, moment);
  }

  async checkIssuance({ entry }, recordedAt) {
    // The ledger holds the ISSUE itself; or a peer's own way, judged when it came.
    if (entry.eblPlatform === this.trust.code || entry[MANIFEST] === null) return;
    const read = () => parsePeerJws(entry[MANIFEST]);
    const parsed = this.readOr(read, "the issuance manifest cannot be read");
    if (parsed.value.documentChecksum !== this.statement.bill) {
      this.broken("chain_differs", "the issuance manifest is about another document");
    }
    if (this.seen.has(parsed.digest)) return;
    this.seen.add(parsed.digest);
    const { carrierCode, carrierCodeListProvider } = this.document;
    const carrier = `${carrierCodeListProvider}:${carrierCode}`;
    const moment = Math.min(recordedAt, entry.transactions[0].actionDateTime);
    await this.verify("the issuance manifest", carrier, parsed, moment);
  }

  async verify(what, signer, parsed, moment) {
    const { carriers, peers } = this.trust;
    const keys = (signer.includes(":") ? carriers : peers).get(signer);
    if (keys === undefined) {
      this.miss(signer, noKey(signer));
      return;
    }
    try {
      await verifyPeerJws(parsed, keys, moment);
    } catch (error) {
      if (!(error instanceof BadSignature)) throw error;
      this.broken("peer_forged", `${what}: ${error.message}`);
    }
    this.checked.set(signer, (this.checked.get(signer) ?? 0) + 1);
  }

  miss(name, reason) {
    if (!this.checked.has(name)) this.checked.set(name, 0);
    if (!this.unchecked.has(name)) this.unchecked.set(name, reason);
  }

  readOr(read, what) {
    try {
      return read();
    } catch (error) {
      const known = [BadJws, BadJson, BadMember].some((kind) => error instanceof kind);
      if (!known) throw error;
      return this.broken("chain_differs", `${what}: ${error.message}`);
    }
  }

  broken(code, message) {
    return this.report.broken("peers", code, message);
  }
}

function noKey(signer) {
  return `no key of ${signer} is in the trust file`;
}

// `CODE:slug`, always the same for the same codes (wire/pint_parties.py).
function foreignName({ eblPlatform, identifyingCodes }) {
  const own = identifyingCodes.find(({ codeListProvider }) => codeListProvider === ownCodes);
  return `${eblPlatform}:${spelled((own ?? identifyingCodes[0]).partyCode)}`;
}

function spelled(code) {
  if (SLUG.test(code)) return code;
  const plain = code.toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "");
  return plain === "" ? unnamed : `x-${plain}`.slice(0, 31).replace(/-+$/, "");
}
