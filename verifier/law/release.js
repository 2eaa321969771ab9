// The release guard: no container leaves the gate without the bill (domain/release.py).
import { showInstant } from "../time.js";
import { refuse } from "./refusal.js";

export function checkRelease(world, act, draft, state) {
  const { event } = act;
  const [, shipment, container] = event.stream.split(":");
  const bill = world.bill(event.bill);
  if (bill === null || bill.shipment !== shipment) {
    refuse("no_surrender", `${event.bill} is no bill for shipment ${shipment}`, "/details/bill");
  }
  const order = requireReleasable(bill, draft, state, container, act.recordedAt);
  if (order.digest !== event.order) {
    refuse("no_delivery_order", `${event.order} was shown, ${order.digest} counts`, "/details/order");
  }
  if (order.terminal !== event.actor) {
    refuse("no_delivery_order", `the order is made out to ${order.terminal}`, "/actor");
  }
  if (order.codeHash !== event.codeDigest) {
    refuse("wrong_code", "the code shown is not this order's", "/details/code");
  }
  const { name, reference } = order.pickUp;
  if (name !== event.collectedBy.name || reference !== event.collectedBy.reference) {
    refuse("wrong_pick_up", `the order names ${name} (${reference})`, "/details/collectedBy");
  }
}

function requireReleasable(bill, draft, state, container, moment) {
  if (!bill.containers.includes(container)) {
    refuse("not_on_bill", `container ${container} is not on bill ${bill.reference}`, "/stream");
  }
  if (bill.status !== "SURRENDERED_FOR_DELIVERY") {
    refuse("no_surrender", `bill ${bill.reference} is ${bill.status}`, "/details/bill");
  }
  if (state?.place === "GATE_OUT") {
    refuse("do_replay", `${container} left the gate under order ${state.releasedUnder}`, "/stream");
  }
  const order = bill.orders
    .filter((known) => known.containers.includes(container) && !known.cancelled)
    .at(-1);
  if (order === undefined) {
    refuse("no_delivery_order", `no delivery order for ${container} counts`, "/details/order");
  }
  if (moment >= order.expires) {
    refuse("do_expired", `the order expired at ${showInstant(order.expires)}`, "/details/order");
  }
  if (draft.customsRelease && (state === null || state.customsReleased === null)) {
    refuse("customs", `no customs authority has released ${container}`, "/stream");
  }
  return order;
}
