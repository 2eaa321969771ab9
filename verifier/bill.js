// What a verified file tells of its bill, in rows that can be shown. No markup, no words.
import { Refusal } from "./law/refusal.js";
import { World } from "./world.js";

// One row per act on the bill: who, what, when, and what it changed of control (null: nothing).
// Only a full file that was replayed shows control.
export function endorsementChain(shown, title) {
  const world = new World(title.origin);
  if (shown.facts !== null) world.addDocument(shown.facts);
  let before = null;
  const rows = [];
  for (const recorded of shown.events) {
    const state = title.replayed ? applied(world, recorded) : null;
    const { action, actor, stream } = recorded.event;
    if (stream !== `bill:${title.bill}`) continue;
    const control = state?.control ?? null;
    rows.push({ action, actor, recordedAt: recorded.recordedAt, ...changes(before, control) });
    before = control;
  }
  return rows;
}

function applied(world, recorded) {
  try {
    return world.apply(recorded);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

// A cell is filled only when it changed.
function changes(before, after) {
  if (after === null) return { possessor: null, order: null };
  const moved = before?.possessor !== after.possessor;
  const ordered = before?.titleHolder !== after.titleHolder || before?.final !== after.final;
  const order = { titleHolder: after.titleHolder, final: after.final };
  return { possessor: moved ? after.possessor : null, order: ordered ? order : null };
}

// Container by container what its custodians signed, with the seals that surprised them.
export function custodyRows(shown) {
  const boxes = new Map();
  for (const { event } of shown.events) {
    if (!event.stream.startsWith("custody:")) continue;
    const [, shipment, container] = event.stream.split(":");
    const exceptions = shown.world.custody(shipment, container)?.exceptions ?? [];
    const rows = boxes.get(container) ?? [];
    rows.push({
      action: event.action,
      actor: event.actor,
      occurredAt: event.occurredAt,
      localDate: event.localDate,
      seals: event.seals,
      surprise: exceptions.some((exception) => exception.sequence === event.sequence),
    });
    boxes.set(container, rows);
  }
  return boxes;
}

// [name of the fact, text or texts] in the order of a bill of lading.
export function billFacts(shown, title) {
  const { document, facts } = shown;
  if (facts === null) return [];
  const rows = [
    ["reference", facts.reference],
    ["shipper", facts.shipper.name],
    ["consignee", facts.consignee?.name],
    ["endorsee", facts.endorsee?.name],
    ["notify", facts.notify.map((party) => party.name)],
    ["vessel", facts.sailings.map(({ vessel, voyage }) => `${vessel} ${voyage}`)],
    ["receipt", facts.placeOfReceipt],
    ["loading", facts.portOfLoading],
    ["discharge", facts.portOfDischarge],
    ["delivery", facts.placeOfDelivery],
    ["received", facts.receivedForShipmentDate],
    ["onBoard", onBoardDate(shown, title)],
    ["issued", facts.issueDate],
    ["containers", facts.seals.map(([box, seals]) => [box, ...seals].join("  "))],
    ["goods", goods(document)],
    ["bill", facts.checksum],
  ];
  return rows.filter(([, value]) => value !== undefined && value !== null && value.length > 0);
}

// The notation counts where the document itself knows no date yet.
function onBoardDate(shown, title) {
  return shown.world?.bill(title?.bill)?.onBoardOn ?? shown.facts.shippedOnBoardDate;
}

function goods(document) {
  const items = Array.isArray(document.consignmentItems) ? document.consignmentItems : [];
  return items.flatMap((item) => texts(item.descriptionOfGoods));
}

function texts(value) {
  const listed = Array.isArray(value) ? value : [value];
  return listed.filter((text) => typeof text === "string");
}
