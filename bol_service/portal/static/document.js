// A transport document in words: its digests, what a person must see of it, and every member of it.
// All is told from the very text that is hashed; the server's pages are not asked.

import { bytes, canonical, hexDigest } from "./jcs.js";
import { element } from "./words.js";

// The members that issue changes, left out of the content digest (formats: contentDigest).
const CHANGING = [
  "transportDocumentStatus",
  "issueDate",
  "receivedForShipmentDate",
  "shippedOnBoardDate",
  "isShippedOnBoardType",
  "displayedShippedOnBoardReceivedForShipment",
];
const SILENT = ["transports", "documentParties", "equipment", "outerPackaging", "address", "vesselVoyages"];
const NAMED = { consignmentItems: "part.goods", cargoItems: "part.container", utilizedTransportEquipments: "part.container" };
const UNITS = { KGM: "kg", LBR: "lb", MTQ: "m³", FTQ: "ft³" };

export async function digests(text) {
  const value = JSON.parse(text);
  const kept = Object.fromEntries(Object.entries(value).filter(([name]) => !CHANGING.includes(name)));
  return {
    value,
    received: await hexDigest(bytes(text)),
    checksum: await hexDigest(bytes(canonical(value))),
    content: await hexDigest(bytes(canonical(kept))),
  };
}

export const goodsOf = (document) => list(document.consignmentItems).flatMap((item) => list(item.descriptionOfGoods));
export const boxesOf = (document) => list(document.utilizedTransportEquipments).map((used) => used.equipment?.equipmentReference ?? "");

// What a person must see of a document before it is published, approved or issued.
export function facts(document, t) {
  const parties = document.documentParties ?? {};
  const route = document.transports ?? {};
  const vessels = list(route.vesselVoyages).map((one) => `${one.vesselName} ${one.carrierExportVoyageNumber}`);
  const rows = [
    [t("bill.number"), document.transportDocumentReference],
    [t("draft.kind"), typeof document.isToOrder === "boolean" && t(`type.${kindOf(document)}`)],
    [t("box.shipper"), party(parties.shipper)],
    [t("box.consignee"), party(parties.consignee)],
    [t("box.order"), party(parties.endorsee)],
    [t("box.notify"), list(parties.notifyParties).map(party).join(" · ")],
    [t("box.carrier"), party(parties.issuingParty)],
    [t("box.receipt"), place(route.placeOfReceipt)],
    [t("box.loading"), place(route.portOfLoading)],
    [t("box.discharge"), place(route.portOfDischarge)],
    [t("box.delivery"), place(route.placeOfDelivery)],
    [t("box.vessel"), vessels.join(", ")],
    [t("box.goods"), goodsOf(document).join(" · ")],
    [t("check.boxes"), boxes(document, t)],
    [t("box.freight"), document.freightPaymentTermCode && t(`draft.choice.${document.freightPaymentTermCode}`)],
    [t("draft.received"), document.receivedForShipmentDate],
    [t("box.onboard"), document.shippedOnBoardDate],
    [t("draft.issued"), document.issueDate],
  ];
  return rows.filter(([, value]) => value);
}

// The whole document, member by member: nothing that is signed is kept from who signs it.
export function everything(document, t) {
  const rows = leaves(document).map(([path, text]) => element("tr", {}, element("th", { scope: "row" }, label(path, t)), element("td", {}, text)));
  return element(
    "details",
    { id: "every-member" },
    element("summary", {}, t("check.every_member", { count: rows.length })),
    element("table", { class: "stack members" }, element("caption", { class: "hidden" }, t("bill.document")), element("tbody", {}, ...rows)),
  );
}

function leaves(value, path = []) {
  if (value !== null && typeof value === "object") {
    if (!Array.isArray(value) && Object.keys(value).sort().join() === "unit,value" && typeof value.value === "number" && typeof value.unit === "string") return [[path, amount(value)]];
    if (Array.isArray(value) && value.every((one) => one === null || typeof one !== "object")) return [[path, value.join("\n")]];
    return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, Array.isArray(value) ? which(inner, Number(name) + 1) : name]));
  }
  return [[path, String(value)]];
}

function which(entry, number) {
  const box = entry?.equipmentReference ?? entry?.equipment?.equipmentReference;
  return `#${typeof box === "string" ? box : number}`;
}

function label(path, t) {
  const said = path.map((step, at) => {
    const holder = path.slice(0, at).findLast((one) => !one.startsWith("#"));
    if (SILENT.includes(step)) return "";
    if (step.startsWith("#")) return SILENT.includes(holder) ? "" : step.slice(1);
    const keys = [NAMED[step], `member.${holder}.${step}`, `member.${step}`, `part.${step}`];
    return t(keys.find((key) => key && t(key) !== key) ?? step);
  });
  return said.filter(Boolean).join(" › ");
}

const list = (value) => (Array.isArray(value) ? value : []);

function kindOf(document) {
  if (!document.isToOrder) return "STRAIGHT";
  return document.documentParties?.endorsee ? "ORDER" : "BLANK";
}

function party(one) {
  if (!one) return "";
  const { street, streetNumber, postCode, city, countryCode } = one.address ?? {};
  return [one.partyName, [street, streetNumber].filter(Boolean).join(" "), [postCode, city].filter(Boolean).join(" "), countryCode].filter(Boolean).join(", ");
}

function place(one) {
  return one ? [one.locationName, one.UNLocationCode].filter(Boolean).join(" ") : "";
}

function amount(one) {
  if (!one || one.value === undefined) return "";
  return `${one.value} ${UNITS[one.unit] ?? one.unit ?? ""}`.trim();
}

function boxes(document, t) {
  const cargo = list(document.consignmentItems).flatMap((item) => list(item.cargoItems));
  const lines = list(document.utilizedTransportEquipments).map((used) => {
    const number = used.equipment?.equipmentReference ?? "";
    const seals = list(used.seals).map((seal) => seal.number).join(" ");
    const inside = cargo.filter((item) => item.equipmentReference === number);
    const said = inside.map((item) => [`${item.outerPackaging?.numberOfPackages ?? ""} ${item.outerPackaging?.description ?? ""}`.trim(), amount(item.cargoGrossWeight), amount(item.cargoGrossVolume)].filter(Boolean).join(", "));
    return element("li", {}, element("strong", {}, number), ` ${said.join(" + ")}`, seals && ` · ${t("box.seals")}: ${seals}`);
  });
  return lines.length ? element("ul", { class: "plain-list" }, ...lines) : "";
}
