// From a transport document as received to the facts that the law judges (wire/document.py,
// read tolerantly: only what cannot be read is refused).
import { hex, utf8 } from "./bytes.js";
import { canonical } from "./jcs.js";
import { isObject } from "./schemas.js";
import { sha256 } from "./sha2.js";
import { BadJson, parseDocument } from "./strictjson.js";
import { LAW } from "./tables.js";
import { readDay } from "./time.js";

const RULES = LAW.document;

export class DocumentError extends Error {}

// {value, facts}; throws DocumentError.
export function readDocument(text) {
  const value = parsed(utf8(text));
  if (tooDeep(value)) throw new DocumentError(`is nested deeper than ${RULES.deepest} levels`);
  return { value, facts: factsOf(value, text) };
}

function parsed(bytes) {
  try {
    const value = parseDocument(bytes);
    if (isObject(value)) return value;
  } catch (error) {
    if (error instanceof BadJson) throw new DocumentError(error.message);
    throw error;
  }
  throw new DocumentError("the document is not a JSON object");
}

function tooDeep(value, depth = 0) {
  if (value === null || typeof value !== "object") return false;
  return depth > RULES.deepest || Object.values(value).some((inner) => tooDeep(inner, depth + 1));
}

function digestOf(text) {
  return hex(sha256(utf8(text)));
}

function contentOf(value) {
  return Object.fromEntries(
    Object.entries(value).filter(([name]) => !RULES.changing.includes(name)),
  );
}

function factsOf(value, received) {
  const transports = object(value, "transports");
  const parties = object(value, "documentParties");
  const units = objects(value, "utilizedTransportEquipments").map((unit) => [
    text(object(unit, "equipment"), "equipmentReference"),
    objects(unit, "seals").map((seal) => text(seal, "number")),
  ]);
  return {
    checksum: digestOf(canonical(value)),
    contentDigest: digestOf(canonical(contentOf(value))),
    receivedBytes: digestOf(received),
    reference: text(value, "transportDocumentReference"),
    subReference: optional(value, "transportDocumentSubReference", text),
    carrierCode: text(value, "carrierCode"),
    carrierCodeListProvider: text(value, "carrierCodeListProvider"),
    kind: kindOf(value, parties),
    typeCode: text(value, "transportDocumentTypeCode"),
    status: text(value, "transportDocumentStatus"),
    isElectronic: flag(value, "isElectronic"),
    isShippedOnBoard: flag(value, "isShippedOnBoardType"),
    issueDate: optional(value, "issueDate", day),
    shippedOnBoardDate: optional(value, "shippedOnBoardDate", day),
    receivedForShipmentDate: optional(value, "receivedForShipmentDate", day),
    shipper: partyOf(object(parties, "shipper")),
    consignee: optionalParty(parties, "consignee"),
    endorsee: optionalParty(parties, "endorsee"),
    notify: objects(parties, "notifyParties").map(partyOf),
    placeOfReceipt: place(transports, "placeOfReceipt"),
    portOfLoading: place(transports, "portOfLoading"),
    portOfDischarge: place(transports, "portOfDischarge"),
    placeOfDelivery: place(transports, "placeOfDelivery"),
    sailings: objects(transports, "vesselVoyages").map((voyage) => ({
      vessel: text(voyage, "vesselName"),
      voyage: text(voyage, "carrierExportVoyageNumber"),
    })),
    equipment: units.map(([number]) => number),
    seals: units,
    bookingReferences: [
      ...new Set(
        objects(value, "consignmentItems").map((item) => text(item, "carrierBookingReference")),
      ),
    ],
  };
}

function kindOf(value, parties) {
  if (!flag(value, "isToOrder")) return "STRAIGHT";
  return "endorsee" in parties ? "ORDER" : "BLANK";
}

function partyOf(party) {
  const named = objects(party, "identifyingCodes").map(identityOf);
  const registered = objects(party, "taxLegalReferences")
    .filter((tax) => RULES.registrations.includes(tax.type))
    .map((tax) => [text(tax, "type"), text(tax, "value")]);
  const codes = new Map(
    [...named, ...registered].filter(Boolean).map((code) => [JSON.stringify(code), code]),
  );
  return { name: text(party, "partyName"), codes: [...codes.values()] };
}

function identityOf(code) {
  if (code.codeListProvider === "ZZZ") return ["SLUG", text(code, "partyCode")];
  const list = code.codeListName ?? null;
  const isLei = code.codeListProvider === "GLEIF" && (list === null || list === "LEI");
  return isLei ? ["LEI", text(code, "partyCode")] : null;
}

function optionalParty(parties, role) {
  return role in parties ? partyOf(object(parties, role)) : null;
}

function place(transports, name) {
  if (!(name in transports)) return null;
  const found = object(transports, name);
  for (const member of RULES.placeNames) {
    const named = optional(found, member, text);
    if (named) return named;
  }
  const town = [found.city, found.address].find(isObject);
  return town === undefined ? null : optional(town, "city", text);
}

function unreadable(name, wanted) {
  throw new DocumentError(`/${name} is not ${wanted}; the document cannot be read without it`);
}

function object(value, name) {
  return isObject(value[name]) ? value[name] : unreadable(name, "an object");
}

function objects(value, name) {
  if (!(name in value)) return [];
  const listed = value[name];
  const isListed = Array.isArray(listed) && listed.every(isObject);
  return isListed ? listed : unreadable(name, "a list of objects");
}

function text(value, name) {
  return typeof value[name] === "string" ? value[name] : unreadable(name, "a text");
}

function flag(value, name) {
  return typeof value[name] === "boolean" ? value[name] : unreadable(name, "true or false");
}

function day(value, name) {
  return readDay(value[name]) ?? unreadable(name, "a date such as 2027-03-01");
}

function optional(value, name, read) {
  return name in value ? read(value, name) : null;
}
