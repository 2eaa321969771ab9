// Sending a signed act. Three things can come of it: it is recorded, it is refused, or nobody knows;
// then the very same bytes are sent again, which is safe.

// An act for another platform's ledger goes through this one's gate desk.
export async function deliver(compact, abroad = false) {
  let answer;
  try {
    answer = await fetch(abroad ? "/portal/gate/abroad/events" : "/v1/events", {
      method: "POST",
      headers: { "Content-Type": "application/jose" },
      body: compact,
    });
  } catch {
    return { kind: "unknown" };
  }
  const value = await answer.json().catch(() => null);
  if (answer.ok && value) return { kind: "recorded", receipt: value };
  if (!value || answer.status === 429 || answer.status >= 500) return { kind: "unknown" };
  return { kind: "refused", problem: value };
}
